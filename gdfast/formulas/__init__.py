"""Formulas: texts in the grammar, read on arrays and in lanes, and what they may call.

The contract of a formula (a rule, the loss or gradient of a landscape, a transform, a measure): assignments to plain
names, then one return. Expressions are made of the function's own arguments and names assigned before, numbers,
``+ - * /``, comparisons, ``&`` and ``|`` between comparisons, and the functions of `gdfast.formulas.elementary`. No
``if``, no loop, no power, no other name. A number is one of the sweep's dtype, a whole number too; a comparison is 1 or
0 where a number is wanted. `gdfast.formulas.grammar` checks it and says what to write instead.

What people write otherwise is first brought into the grammar, where it can be nothing else: powers, ``abs``, NumPy's
names, numbers from outside, calls of other functions, see `gdfast.formulas.translation`; a text of mathematics is read
by `gdfast.formulas.mathematics`.
"""
