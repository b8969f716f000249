/** What the journal asks of the file system, in one place: a test can count, refuse or remember each of these. */
import fs from "node:fs"
import { promisify } from "node:util"

export interface Files {
  makeFolder(folder: string): void
  list(folder: string): string[]
  /** A new file, or `existing`: one that is there. */
  open(path: string, existing?: "existing"): number
  size(file: number): number
  /** Fills `buffer` from `position` on; gives how many bytes there were. */
  read(file: number, buffer: Uint8Array, position: number): number
  /** All of it, or it throws. */
  write(file: number, bytes: Uint8Array, position: number): void
  truncate(file: number, length: number): void
  close(file: number): void
  rename(from: string, to: string): void
  remove(path: string): void
  /** `open` and `write` off the event loop. */
  openLater(path: string): Promise<number>
  writeLater(file: number, bytes: Uint8Array, position: number): Promise<void>
  /** Comes back when what was written is on the disk. Runs in a thread of Node's pool, never on the event loop. */
  sync(file: number): Promise<void>
  /** The same for the names in a folder. */
  syncFolder(folder: string): Promise<void>
}

const openLater = promisify(fs.open)
const writeLater = promisify(fs.write)
const fdatasync = promisify(fs.fdatasync)
const fsync = promisify(fs.fsync)
const closeLater = promisify(fs.close)

export const realFiles: Files = {
  makeFolder: (folder) => void fs.mkdirSync(folder, { recursive: true, mode: 0o700 }),
  list: (folder) => fs.readdirSync(folder),
  open: (path, existing) => fs.openSync(path, existing === undefined ? "wx+" : "r+", 0o600),
  size: (file) => fs.fstatSync(file).size,
  read(file, buffer, position) {
    let done = 0
    while (done < buffer.length) {
      const count = fs.readSync(file, buffer, done, buffer.length - done, position + done)
      if (count === 0) break
      done += count
    }
    return done
  },
  write(file, bytes, position) {
    for (let done = 0; done < bytes.length; )
      done += fs.writeSync(file, bytes, done, bytes.length - done, position + done)
  },
  truncate: (file, length) => fs.ftruncateSync(file, length),
  close: (file) => fs.closeSync(file),
  rename: (from, to) => fs.renameSync(from, to),
  remove: (path) => fs.rmSync(path, { force: true }),
  openLater: (path) => openLater(path, "wx+", 0o600),
  async writeLater(file, bytes, position) {
    for (let done = 0; done < bytes.length; ) {
      const { bytesWritten } = await writeLater(file, bytes, done, bytes.length - done, position + done)
      done += bytesWritten
    }
  },
  sync: (file) => fdatasync(file),
  async syncFolder(folder) {
    const file = await openLater(folder, "r")
    await fsync(file).finally(() => closeLater(file))
  },
}
