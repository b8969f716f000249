/** What the tests of streams have in common. */
import assert from "node:assert/strict"

export async function all<T>(items: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = []
  for await (const item of items) read.push(item)
  return read
}

/** What the work fails with; it is an error if it does not. */
export async function rejection(work: () => Promise<unknown>): Promise<unknown> {
  let value: unknown
  try {
    value = await work()
  } catch (error) {
    return error
  }
  assert.fail(`it should have failed, and gave ${JSON.stringify(value)}`)
}

/** Begins to note rejections that nobody handles; what it gives asserts that there were none, and stops. */
export function watchForUnhandled(): () => Promise<void> {
  const unhandled: unknown[] = []
  const note = (reason: unknown) => unhandled.push(reason)
  process.on("unhandledRejection", note)
  return async () => {
    // They are reported when the microtasks are done.
    await new Promise((resolve) => setImmediate(resolve))
    process.off("unhandledRejection", note)
    assert.deepEqual(unhandled, [])
  }
}
