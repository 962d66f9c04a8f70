/*
 * Rational approximations of erf and erfc to double precision: W. J. Cody, "Rational Chebyshev approximations
 * for the error function", Math. Comp. 23 (1969), 631-637. The coefficients are those of the routine CALERF
 * in the published library SPECFUN. There, the leading coefficient is at the end; here, they are in order
 * from high to low.
 */
const NEAR_NUMERATOR = [
  1.8577770618460315e-1, 3.1611237438705656, 1.1386415415105016e2, 3.77485237685302e2, 3.2093775891384695e3,
];
const NEAR_DENOMINATOR = [
  1, 2.3601290952344122e1, 2.4402463793444417e2, 1.2826165260773723e3, 2.844236833439171e3,
];
const MIDDLE_NUMERATOR = [
  2.1531153547440385e-8, 5.641884969886701e-1, 8.883149794388376, 6.611919063714163e1, 2.986351381974001e2,
  8.819522212417691e2, 1.7120476126340706e3, 2.0510783778260715e3, 1.2303393547979972e3,
];
const MIDDLE_DENOMINATOR = [
  1, 1.5744926110709835e1, 1.176939508913125e2, 5.371811018620099e2, 1.6213895745666903e3,
  3.2907992357334597e3, 4.362619090143247e3, 3.4393676741437216e3, 1.2303393548037495e3,
];
const FAR_NUMERATOR = [
  1.6315387137302098e-2, 3.0532663496123236e-1, 3.6034489994980445e-1, 1.2578172611122926e-1,
  1.6083785148742277e-2, 6.587491615298378e-4,
];
const FAR_DENOMINATOR = [
  1, 2.568520192289822, 1.8729528499234604, 5.279051029514285e-1, 6.051834131244132e-2, 2.3352049762686918e-3,
];

function polynomial(coefficients: readonly number[], x: number): number {
  let value = 0;
  for (const coefficient of coefficients) value = value * x + coefficient;
  return value;
}

/**
 * The complementary error function 1 - erf(x) = 2 / sqrt(pi) times the integral of exp(-t^2) from x to infinity,
 * without cancellation for large x.
 */
export function erfc(x: number): number {
  const size = Math.abs(x);
  if (size <= 0.46875) {
    const square = x * x;
    return 1 - (x * polynomial(NEAR_NUMERATOR, square)) / polynomial(NEAR_DENOMINATOR, square);
  }
  let tail: number;
  if (size <= 4) tail = polynomial(MIDDLE_NUMERATOR, size) / polynomial(MIDDLE_DENOMINATOR, size);
  else {
    const inverse = 1 / (size * size);
    const ratio = (inverse * polynomial(FAR_NUMERATOR, inverse)) / polynomial(FAR_DENOMINATOR, inverse);
    tail = (1 / Math.sqrt(Math.PI) - ratio) / size;
  }
  // Computes exp(-x^2) with x^2 split into two parts, so that the exponential does not amplify the rounding
  // error of x^2.
  const coarse = Math.trunc(size * 16) / 16;
  tail *= Math.exp(-coarse * coarse) * Math.exp(-(size - coarse) * (size + coarse));
  return x < 0 ? 2 - tail : tail;
}

/**
 * The cumulative distribution function of the standard normal distribution: the probability of a value of at
 * most x.
 */
export function normalCdf(x: number): number {
  return 0.5 * erfc(-x * Math.SQRT1_2);
}
