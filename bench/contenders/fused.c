/* One fused loop, on one core: gradient, settle check, update, freeze, for LANES trajectories at a time in vectors of
   WIDTH numbers that stay in registers until the last of them has settled. Compiled with D coordinates, S slots of state
   and the macros of a pair; returns the lane-steps computed. */
#include <math.h>
#include <string.h>

#define BYTES (8 * WIDTH)
typedef double vector __attribute__((vector_size(BYTES)));
typedef long long mask __attribute__((vector_size(BYTES)));
enum { GROUP = VECTORS * WIDTH };

static inline vector all(double x) { return x - (vector){}; }
static inline vector size(vector x) { return (vector)((mask)x & 0x7fffffffffffffffLL); }
static inline vector root(vector x) {
  for (int i = 0; i < WIDTH; i++) x[i] = sqrt(x[i]);
  return x;
}
static inline mask pick(mask which, mask yes, mask no) { return (which & yes) | (~which & no); }
static inline int any(mask m) {
  long long bits = 0;
  for (int i = 0; i < WIDTH; i++) bits |= m[i];
  return bits != 0;
}

#ifdef QUARTIC
#define GRADIENT(x, g) g[0] = (4 * x[0] * x[0] - 10) * x[0] + 3
#else
#define GRADIENT(x, g) vector u = x[1] - x[0] * x[0]; g[0] = -2 * (1 - x[0]) - 400 * x[0] * u; g[1] = 200 * u
#endif

long long sweep(long long n, const double *rates, double *theta, long long max_steps, const double *rate,
                const double *debias, double tolerance, double limit, long long *steps, long long *settled) {
  long long lane_steps = 0;
  for (long long first = 0; first < n; first += GROUP) {
    vector x[VECTORS][D], m[VECTORS][D], v[VECTORS][D], lr[VECTORS];
    mask small_before[VECTORS], live[VECTORS], at[VECTORS], kind[VECTORS];
    for (int k = 0; k < VECTORS; k++) {
      memcpy(&lr[k], rates + first + k * WIDTH, BYTES);
      for (int i = 0; i < D; i++) {
        memcpy(&x[k][i], theta + i * n + first + k * WIDTH, BYTES);
        m[k][i] = v[k][i] = all(0);
      }
      small_before[k] = kind[k] = (mask){};
      live[k] = ~(mask){};
      at[k] = (mask){} + max_steps;
    }
    for (long long t = 0; t <= max_steps; t++) {
      mask left = {};
      double r = rate[t], b = debias[t];
      for (int k = 0; k < VECTORS; k++) {
        vector g[D];
        GRADIENT(x[k], g);
        mask small = size(g[0]) <= all(tolerance), fine = size(g[0]) <= all(limit);
        for (int i = 1; i < D; i++) small &= size(g[i]) <= all(tolerance), fine &= size(g[i]) <= all(limit);
        mask now = live[k] & (~fine | (small & small_before[k]));
        at[k] = pick(now, (mask){} + t, at[k]);
        kind[k] = pick(now, pick(fine, (mask){} + 2, (mask){} + 3), kind[k]);
        live[k] &= ~now;
        small_before[k] = small;
        left |= live[k];
        if (t < max_steps)
          for (int i = 0; i < D; i++) {
#ifdef GD
            vector new = x[k][i] - lr[k] * g[i];
#else
            m[k][i] = 0.9 * m[k][i] + (1 - 0.9) * g[i];
            v[k][i] = 0.999 * v[k][i] + (1 - 0.999) * g[i] * g[i];
#ifdef TEXTBOOK /* five divisions and two roots in two dimensions; rate and debias are 1 - beta to the power t */
            vector new = x[k][i] - lr[k] / all(r) * m[k][i] / (root(v[k][i] / all(b)) + 1e-8);
#else
            vector new = x[k][i] - lr[k] * r * m[k][i] / (root(v[k][i]) * b + 1e-8);
#endif
#endif
            x[k][i] = (vector)pick(live[k], (mask)new, (mask)x[k][i]);
          }
      }
      if (t < max_steps) lane_steps += GROUP;
      if (t % 8 == 0 && !any(left)) break;
    }
    for (int k = 0; k < VECTORS; k++) {
      memcpy(steps + first + k * WIDTH, &at[k], BYTES);
      memcpy(settled + first + k * WIDTH, &kind[k], BYTES);
      for (int i = 0; i < D; i++) memcpy(theta + i * n + first + k * WIDTH, &x[k][i], BYTES);
    }
  }
  return lane_steps;
}
