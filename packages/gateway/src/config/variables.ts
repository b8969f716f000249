/** What the gateway reads of its environment by itself; what a file takes from it with `${NAME}` is the file's business. */

export interface Variable {
  readonly name: string
  /** What it does, in whole sentences. */
  readonly about: string
}

/** Beside these, the providers' variables in `providers/known/`, and those only where there is no file. */
export const VARIABLES: readonly Variable[] = [
  { name: "SLUICE_CONFIG", about: "The file, where `--config` does not name one." },
  {
    name: "SLUICE_API_KEY",
    about: "A key for clients. It is not stored, and is good for as long as it is set.",
  },
  {
    name: "SLUICE_ADMIN_KEY",
    about: "A key for `/admin` and every stream. It must differ from SLUICE_API_KEY.",
  },
  {
    name: "SLUICE_DATA",
    about:
      "The folder for streams, the database and the minted key; `sluice-data` in the working folder by default.",
  },
  {
    name: "DATABASE_URL",
    about: "Postgres for keys, holds, calls and costs. Without it they are in SQLite, in the data folder.",
  },
]
