/**
 * Providers repeat keys in their messages ("Incorrect API key provided: sk-…"). What looks like a credential is
 * masked before anybody else sees the text. Better a harmless word masked than a key shown.
 */
export function maskSecrets(text: string): string {
  return PATTERNS.reduce((masked, [pattern, replacement]) => masked.replace(pattern, replacement), text)
}

/** Each is linear: one bounded prefix, then one run of characters from a single class. */
const PATTERNS: readonly (readonly [RegExp, string])[] = [
  // The prefixes that vendors give their keys; asterisks because some show a key half hidden.
  [/\b(?:sk|pk|rk|csk|xai|pplx|nvapi|glpat)[-_][\w*.-]{6,}/gi, "***"],
  [/\b(?:gsk|r8|hf|fw|tgp|ghp|gho)_[\w*.-]{6,}/gi, "***"],
  [/\bAIza[\w*-]{6,}/g, "***"],
  [/\b(?:AKIA|ASIA)[A-Z0-9]{12,}/g, "***"],
  // A JSON web token.
  [/\beyJ[\w-]{6,}\.[\w.-]+/g, "***"],
  [/\b(Bearer|Basic)\s+[\w+/=.~*-]{6,}/gi, "$1 ***"],
  // Credentials in an address: https://user:secret@host
  [/(\/\/[^\s/:@]{1,128}:)[^\s/@]{1,256}@/g, "$1***@"],
  [
    /\b((?:api[-_ ]?)?(?:key|token|secret|password|credential|authorization)s?(?:\s+(?:provided|is|was))?["'`]?[\s:=]{1,8}["'`]?)(?=[\w+/=*.-]{0,256}[\d*])[\w+/=*.-]{12,}/gi,
    "$1***",
  ],
  // Long enough to be nothing but a key, wherever it stands.
  [/\b[0-9a-f]{32,}\b/gi, "***"],
]
