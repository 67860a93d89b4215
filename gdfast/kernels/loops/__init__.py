"""Plain loops over numbers and arrays, translated straight into LLVM's language.

To find out what stands in kernels, which is numbers and arrays of known types, takes numba three times as long as LLVM
takes over them. `gdfast.kernels.loops.translation` writes such functions down as they are read, in a hundredth of the
time, numba's LLVM compiles them, and `gdfast.kernels.loops.kernel` calls what it makes of them. What is promised is
numba's: the same conversions, no contraction, and so the same bits. Numba itself compiles what a problem's lanes have
that is not among this.

The functions, whose sources are read, may have

- assignments, also to several names and to entries; ``for`` over `range`, ``while``, ``if``, ``break``, ``continue``,
  and ``return``; calls of such functions, with all arguments in their order; what `gdfast.kernels.options` and
  `gdfast.kernels.tuples` have, functions of `gdfast.formulas.elementary`, `lane_products` and `records`, and calls of
  other kernels (`gdfast.kernels.signatures`);
- ``+ - * / // %``, ``>> << & | ^ ~``, comparisons, ``and or not`` of truths, or of
  numbers where a truth is asked, choices of numbers, arrays and tuples,
  `abs`, `min`, `max`, `len`, ``shape``, `math.sqrt`, and types of numbers as conversions; a divisor of whole
  numbers is never 0, and a shift is by fewer bits than they have, which nothing looks after;
- entries of arrays, rows of them, slices of the last axis that has an index, and ``reshape(-1)``. Indices and bounds
  lie within the array, and count from the end where they are written as negative numbers;
- tuples and fields of tuples that have names, and their `_replace`; constants of the module or the enclosing function.

A name is of one type from its first assignment on, but in the same block of statements, or where an inner block, and
what is repeated with it, does not read it before: there it is another name. What is more than that type has, such as a
double where a single was, is refused. A tuple or an array of a name that is assigned once is read in the block of that
assignment only. The step of a `range` is positive, unless it is written with a minus; a loop whose counter tells places
of a tuple is written out, and does not assign its counter. No function calls itself. A function returns a number, at
several places, or anything at its end; the latter, if it has no loops that depend on what it is given, stands in its
callers. Integers are of 64 bits, but for `numpy.uint64` and `numpy.int32`; with a number of double precision, or with
an integer, one of single precision becomes double.
"""
