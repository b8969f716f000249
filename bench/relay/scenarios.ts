/** What is asked of each target. */
export type Scenario = LoadScenario | StartScenario

/** `warmUp` brings a just-in-time compiler to speed; only `load` is measured. */
export interface LoadScenario {
  readonly name: string
  readonly title: string
  /** Streams at once; 0: answers in one piece. */
  readonly streams: number
  /** The load generator's options; -w is the part of the run before the window opens. */
  readonly warmUp: string
  readonly load: string
  /** Milliseconds between the two, until what the first has cut off has been counted and entered. */
  readonly pause?: number
  /** About how long one measurement takes. */
  readonly seconds: number
}

/** No load: how long it takes to be ready, and what it then needs. */
export interface StartScenario {
  readonly name: "start"
  readonly title: string
  readonly seconds: number
}

const STREAMS_WARM_UP = "-c 64 -d 3 -w 0.2 -t 1.5"
const STREAMS_LOAD = "-c 500 -d 20 -r 600 -w 1.2 -t 2.2"

export const SCENARIOS: readonly Scenario[] = [
  {
    name: "S1",
    title: "whole answers, 64 connections",
    streams: 0,
    warmUp: "-s 0 -c 64 -w 0.2 -t 1.5",
    load: "-s 0 -c 64 -w 0.3 -t 2.5",
    seconds: 6,
  },
  {
    name: "S3",
    title: "500 streams, 100 chunks each, 20 ms apart",
    streams: 500,
    warmUp: STREAMS_WARM_UP,
    load: STREAMS_LOAD,
    seconds: 7,
  },
  {
    name: "S3x",
    title: "2,000 streams, 100 chunks each, 20 ms apart",
    streams: 2_000,
    warmUp: STREAMS_WARM_UP,
    load: "-c 2000 -d 20 -r 1500 -w 2 -t 2.5",
    seconds: 8,
  },
  {
    name: "start",
    title:
      "from the command to the line that says it listens, all read once before, and memory after some seconds without load",
    seconds: 8,
  },
]

/** Measured when they are asked for. */
export const ON_REQUEST: readonly Scenario[] = [
  {
    name: "S3warm",
    title: "as S3, after a quarter of a minute of it: what runs for days has been compiled long ago",
    streams: 500,
    warmUp: "-c 500 -d 20 -r 600 -w 0.2 -t 15",
    pause: 3_000,
    load: STREAMS_LOAD,
    seconds: 25,
  },
]
