/** The figures that a run is about: how each comes from its rows. */
import { faultsOf, median, type Name, type Row, rowsOf } from "./rows.ts"

export interface Figure {
  readonly name: string
  readonly unit: string
  readonly digits: number
  readonly scenarios: readonly string[]
  /** The target that it is a difference to. */
  readonly from?: string
  readonly of: (rows: readonly Row[], target: string) => number | undefined
}

const MILLISECOND = 1_000
/** Streams of S3x less those of S3. */
const MORE_STREAMS = 1_500

export const FIGURES = {
  s1Answers: plain("S1", "answersPerSecond", "answers per second"),
  s1Cpu: plain("S1", "cpuUsPerAnswer", "CPU per answer", "µs", 1),
  s1Answer: plain("S1", "answerP50", "answer p50", "µs"),
  s3Chunks: plain("S3", "chunksPerSecond", "chunks per second"),
  s3Cpu: plain("S3", "cpuMsPerThousandChunks", "CPU per 1,000 chunks", "ms", 1),
  s3Chunk: plain("S3", "chunkP50", "chunk p50", "µs"),
  s3FirstContent: {
    name: "S3 first content added p50",
    unit: "ms",
    digits: 2,
    scenarios: ["S3"],
    from: "direct",
    of(rows, target) {
      const to = (target: string): number | undefined => median(rows, "S3", target, "firstContentP50")
      const added = difference(to(target), to("direct"))
      return added === undefined ? undefined : added / MILLISECOND
    },
  },
  s3Peak: plain("S3", "peakMegabytes", "peak memory", "MB"),
  s3xChunks: plain("S3x", "chunksPerSecond", "chunks per second"),
  s3xCpu: plain("S3x", "cpuMsPerThousandChunks", "CPU per 1,000 chunks", "ms", 1),
  s3xChunk: plain("S3x", "chunkP50", "chunk p50", "µs"),
  s3xErrors: {
    name: "S3x errors",
    unit: "errors",
    digits: 0,
    scenarios: ["S3x"],
    of(rows, target) {
      const ran = rowsOf(rows, "S3x", target)
      return ran.length === 0 ? undefined : faultsOf(ran).errors
    },
  },
  s3xPeak: plain("S3x", "peakMegabytes", "peak memory", "MB"),
  memory: {
    name: "memory from S3 to S3x",
    unit: "KB per stream",
    digits: 1,
    scenarios: ["S3", "S3x"],
    of(rows, target) {
      const grown = difference(
        median(rows, "S3x", target, "peakMegabytes"),
        median(rows, "S3", target, "peakMegabytes"),
      )
      return grown === undefined ? undefined : (grown * 1024) / MORE_STREAMS
    },
  },
  listening: plain("start", "listeningMilliseconds", "to listening", "ms"),
  settled: plain("start", "settledMegabytes", "idle memory", "MB"),
} satisfies Record<string, Figure>

/** A number with its unit. */
export function textOf({ unit, digits }: Figure, value: number | undefined): string {
  return value === undefined ? "-" : `${value.toFixed(digits)}${unit === "" ? "" : ` ${unit}`}`
}

/** As many digits as a ratio of two measurements may have. */
export function ratioText(ratio: number | undefined): string {
  return ratio === undefined ? "-" : Number(ratio.toPrecision(3)).toString()
}

export function quotient(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined || other === 0 ? undefined : one / other
}

function plain(scenario: string, name: Name, title: string, unit = "", digits = 0): Figure {
  return {
    name: `${scenario} ${title}`,
    unit,
    digits,
    scenarios: [scenario],
    of: (rows, target) => median(rows, scenario, target, name),
  }
}

function difference(one: number | undefined, other: number | undefined): number | undefined {
  return one === undefined || other === undefined ? undefined : one - other
}
