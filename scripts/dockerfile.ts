/** Reads a Dockerfile and says what is wrong with it; for want of an engine, the rules that matter to us. */

export interface Instruction {
  readonly name: string
  readonly text: string
}

export function readDockerfile(source: string): Instruction[] {
  const whole = source.replace(/^#.*\n/gm, "").replace(/\\\n\s*/g, "")
  return [...whole.matchAll(/^([A-Z]+)\s+(.+)$/gm)].map(([, name = "", text = ""]) => ({ name, text }))
}

/** One sentence per fault of the Dockerfile and of its .dockerignore. */
export function dockerfileFaults(source: string, ignore: string): string[] {
  const instructions = readDockerfile(source)
  const all = (name: string) =>
    instructions.filter((instruction) => instruction.name === name).map(({ text }) => text)
  const stages = new Set(all("FROM").flatMap((text) => /\bAS (\S+)/.exec(text)?.[1] ?? []))
  const unpinned = all("FROM").filter((text) => {
    const image = text.split(/\s/)[0] ?? ""
    return !stages.has(image) && (!/:.*\d/.test(image) || image.endsWith(":latest"))
  })
  const lastStage = instructions.slice(instructions.findLastIndex(({ name }) => name === "FROM"))
  const users = lastStage.filter(({ name }) => name === "USER").map(({ text }) => text)
  const ignored = ignore.split("\n").map((line) => line.trim())
  const entry = lastStage.find(({ name }) => name === "ENTRYPOINT")

  return [
    ...(instructions[0]?.name === "FROM" ? [] : ["it does not begin with FROM"]),
    ...unpinned.map((text) => `'FROM ${text}' names no version: tomorrow's build may be another`),
    ...(users.length === 0 || /^(root|0)\b/.test(users.at(-1) ?? "")
      ? ["the gateway would run as root"]
      : []),
    ...(all("ADD").length > 0 ? ["ADD fetches and unpacks behind one's back: use COPY"] : []),
    ...(lastStage.some(({ name }) => name === "HEALTHCHECK")
      ? []
      : ["nothing tells whether it is alive: HEALTHCHECK"]),
    ...(entry === undefined ? ["it starts nothing: ENTRYPOINT"] : []),
    ...(entry !== undefined && !entry.text.startsWith("[")
      ? ["a shell stands before the gateway and keeps its signals"]
      : []),
    ...all("RUN")
      .filter((text) => /\bsudo\b|\bcurl\b.*\|/.test(text))
      .map((text) => `'RUN ${text}' trusts what it cannot see`),
    ...all("RUN")
      .filter((text) => /\bnpm (install|i)\b/.test(text))
      .map(() => "npm install does not keep to the lock: npm ci"),
    ...all("WORKDIR")
      .filter((text) => !text.startsWith("/"))
      .map((text) => `'WORKDIR ${text}' depends on the line before`),
    ...(all("ENV").some((text) => /(KEY|TOKEN|SECRET|PASSWORD)\w*=/.test(text))
      ? ["a secret would be baked in"]
      : []),
    ...(ignored.some((line) => /^(\*\*\/)?node_modules\/?$/.test(line))
      ? []
      : ["node_modules would be sent along: .dockerignore"]),
    ...(ignored.includes("*") || ignored.includes(".git") ? [] : [".git would be sent along: .dockerignore"]),
  ]
}
