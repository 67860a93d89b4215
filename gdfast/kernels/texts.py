"""What kernels that are written as text have in common."""


def lane_loop(*body: str) -> list[str]:
    """The lines of a loop over lanes, none of which reads what another writes."""
    return ["for lane in range(n):", *(f"    {line}" for line in (*body, "independent()"))]


def coordinate_loop(*body: str) -> list[str]:
    """The lines of such a loop for each coordinate."""
    return ["for i in range(theta.shape[0]):", *(f"    {line}" for line in lane_loop(*body))]
