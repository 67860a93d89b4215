"""The compiled forms of `gdfast.formulas.lane_products`.

A product of matrices is cut into pieces of up to 4 × 6 entries. A piece's 24 sums stay in vector registers while r
runs, so that 10 loads serve 48 operations. On a core of 3.6 GHz with two pipes of 256 bits for products and two for
sums that is 54 to 56·10⁹ operations a second of 58 possible (4 × 4 entries: 51; an A of single numbers, the same for
all lanes, that are spread over a vector as they are read: 44). The loops that LLVM vectorizes by itself keep their
sums in memory and were half as fast at best.
"""

from typing import Any

from gdfast.formulas import lane_products as _lane_products
from gdfast.kernels.forms import compiled_form
from gdfast.kernels.loops.products import Piece
from gdfast.kernels.options import apart, wide


def _in_pieces(fused: bool) -> Any:
    """Make the compiled form of `multiply` or of `multiply_fused`."""
    piece: Any = Piece  # whose calls are instructions
    _41, _42, _43, _44, _45, _46 = (piece(4, columns, fused) for columns in range(1, 7))
    _11, _12, _13, _14, _15, _16 = (piece(1, columns, fused) for columns in range(1, 7))

    def product(c, start, a, b, P, R, Q):
        wide()
        apart()
        to, c0, cp, cq = c
        of, s0, sp, sq = start
        left, a0, ap, ar = a
        right, b0, br, bq = b
        p = 0
        while p < P:
            # Rows of A outside: a few of them stay in the nearest cache while the columns of B pass.
            high = P - p >= 4
            at, by, frm, q, pieces = c0 + p * cp, a0 + p * ap, s0 + p * sp, 0, -(-Q // 6)
            while q < Q:
                columns = -(-(Q - q) // pieces)  # as even as can be
                i, j, k = at + q * cq, frm + q * sq, b0 + q * bq
                if high:
                    if columns == 6:
                        _46(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 5:
                        _45(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 4:
                        _44(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 3:
                        _43(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    elif columns == 2:
                        _42(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                    else:
                        _41(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 6:
                    _16(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 5:
                    _15(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 4:
                    _14(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 3:
                    _13(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                elif columns == 2:
                    _12(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                else:
                    _11(to, i, cp, cq, of, j, sp, sq, left, by, ap, ar, right, k, br, bq, R)
                q, pieces = q + columns, pieces - 1
            p += 4 if high else 1

    return product


compiled_form(_lane_products.multiply)(_in_pieces(False))
compiled_form(_lane_products.multiply_fused)(_in_pieces(True))
