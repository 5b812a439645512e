/**
 * The range in which the count of `trials` with this probability lies in all but about 1 of 150,000 honest runs
 * (4.5 standard deviations of the binomial distribution).
 */
export function binomialRange(trials: number, probability: number): { low: number; high: number } {
  const mean = trials * probability;
  const spread = 4.5 * Math.sqrt(trials * probability * (1 - probability));
  return { low: Math.floor(mean - spread), high: Math.ceil(mean + spread) };
}
