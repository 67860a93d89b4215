"""From formulas to machine code: lane loops, compiled on demand, kept on disk.

Formulas are in a grammar (`gdfast.formulas`). This buys three things. The same text runs on arrays, in lanes and on
symbols. Compiled and NumPy results agree to the bit, since every operation in it is correctly rounded in both and none
may be contracted. And what a compiled kernel depends on can be found: the functions that it reaches,
`gdfast.formulas.elementary`, this package and the versions of the tools. `gdfast.kernels.digest` covers just that, so
that what is kept on disk is never stale.

Kernels are written as plain functions, which `gdfast.kernels.loops` translates into LLVM's language; to let numba find
their types would take three times as long as all else. Compiled they are bytes: `gdfast.kernels.numba_internals` lets
numba's LLVM make them and loads them, each into an engine of its own; `gdfast.kernels.folder` keeps them under a
checksum; `gdfast.kernels.compiling` remembers those in use.

A rule and a problem become one *step* kernel (`gdfast.kernels.fuse`): gradient, settle check, update and freeze
for a block of lanes over several steps. The gradient of a problem with data is a kernel of its own
(`gdfast.kernels.evaluation`), which the steps call. All step kernels have one signature (`gdfast.kernels.signatures`),
so that the driver of a tile is compiled once and takes any of them.

Functions that stand within lane loops take as many arguments as they need numbers, of which some have more than eight:
what would bundle them would have to be made anew in every lane, or be known to be of one type for all pairs.
"""
