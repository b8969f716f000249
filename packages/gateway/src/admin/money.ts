/** Between nano-dollars and dollars as the admin API writes them: digit by digit, never through a float. */

export function usdToNano(decimal: string): bigint {
  const [whole = "0", fraction = ""] = decimal.split(".")
  return BigInt(whole + fraction.padEnd(9, "0"))
}

export function nanoToUsd(nano: bigint): string {
  const digits = nano.toString().padStart(10, "0")
  const fraction = digits.slice(-9).replace(/0+$/, "")
  return digits.slice(0, -9) + (fraction === "" ? "" : `.${fraction}`)
}

/** For other people's types, which have money as a number of dollars. */
export function dollars(nano: bigint): number {
  return Number(nanoToUsd(nano))
}

/** What is finer than a nano-dollar is rounded. */
export function nanoFromNumber(usd: number): bigint {
  return usdToNano(usd.toFixed(9))
}
