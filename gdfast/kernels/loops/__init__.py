"""Plain loops over numbers and arrays, translated straight into LLVM's language.

To find out what stands in the driver of tiles, which is numbers and arrays of known types, takes numba three times as
long as LLVM takes over it. `gdfast.kernels.loops.translation` writes such functions down as they are read, in a
hundredth of the time, and `gdfast.kernels.loops.kernel` calls what LLVM makes of them. What is promised is numba's: the
same conversions, no contraction, and so the same bits.

The functions, whose sources are read, may have

- assignments, also to several names and to entries; ``for`` over `range`, ``while``, ``if``, ``break``, ``continue``,
  and ``return`` of a number; calls of such functions, with all arguments in their order; `apart`, `wide`, `call_step`;
- ``+ - * / // %``, ``>> & |``, comparisons, ``and or not`` as truths, choices of numbers, arrays and tuples, `abs`,
  `min`, `len`, ``shape``, `math.sqrt`;
- entries of arrays, rows of them, and slices of the first axis. Indices and bounds lie within the array, and count
  from the end where they are written as negative numbers;
- fields of tuples that have names, and their `_replace`; constants of the module or the enclosing function.

A name is of one type from its first assignment on; one that stands for an array is assigned once. The step of
a `range` is positive, unless it is written as a negative number. Integers are of 64 bits; with a number of double
precision, or with an integer, one of single precision becomes double.
"""
