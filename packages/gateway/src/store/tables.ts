/** The tables as Kysely sees them, and Kysely over an engine: it writes the SQL, the engine runs it. */
import {
  type CompiledQuery,
  type DatabaseConnection,
  type Dialect,
  type Driver,
  Kysely,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
} from "kysely"
import type { Engine, Statement, Value } from "./engine.ts"

type Money = number | bigint
type Integers<Names extends string> = Record<Names, number>
type Texts<Names extends string> = Record<Names, string>
type Nullable<Type> = { [Name in keyof Type]: Type[Name] | null }

type Budgets = Nullable<{ budget_amount: Money } & Texts<"budget_period">>

type ProjectsTable = Texts<"id" | "name"> &
  Integers<"created_at"> &
  Budgets &
  Nullable<Integers<"deleted_at">>

type KeysTable = Texts<"id" | "name" | "tags" | "prefix" | "hash"> &
  Integers<"admin" | "forbid_detach" | "log_content" | "disabled" | "created_at" | "version"> &
  Budgets &
  Nullable<
    Texts<"project_id" | "previous_hash" | "models" | "providers" | "on_disconnect" | "dialect"> &
      Integers<
        "previous_until" | "limit_requests" | "limit_tokens" | "limit_parallel" | "expires_at" | "deleted_at"
      >
  >

type CallsTable = Texts<
  "id" | "process" | "key_id" | "dialect" | "dialect_rule" | "model_asked" | "tags" | "attempts" | "flags"
> &
  Integers<"seq" | "streamed" | "started_at" | "held_tokens" | "holding" | "estimated" | "resumed"> &
  Integers<"prompt_tokens" | "completion_tokens" | "reasoning_tokens" | "cached_tokens" | "audio_tokens"> & {
    held: Money
  } & Nullable<
    Texts<"project_id" | "client" | "client_request_id" | "ending" | "reason" | "model" | "provider"> &
      Integers<"ended_at" | "first_content_at"> &
      Integers<"time_to_first_content" | "tokens_per_second" | "gap_p50" | "gap_p99" | "longest_stall"> & {
        cost: Money
      }
  >

type TotalsTable = Texts<"grain" | "tag" | "key_id" | "project_id" | "model" | "provider" | "ending"> &
  Integers<"start" | "calls" | "unpriced" | "estimated" | "resumed"> &
  Integers<"prompt_tokens" | "completion_tokens" | "reasoning_tokens" | "cached_tokens" | "audio_tokens"> & {
    cost: Money
  }

type AccountsTable = Texts<"subject"> &
  Integers<"running" | "day_start" | "week_start" | "month_start"> &
  Integers<"minute_start" | "requests" | "tokens" | "last_requests" | "last_tokens"> &
  Record<"held" | "day_spent" | "week_spent" | "month_spent" | "total_spent", Money>

export interface Tables {
  accounts: AccountsTable
  settings: Texts<"name" | "value">
  key_feed: Integers<"version">
  projects: ProjectsTable
  keys: KeysTable
  processes: Texts<"id"> & Integers<"started_at" | "beat_at">
  calls: CallsTable
  usage_totals: TotalsTable
  contents: Texts<"call_id" | "request"> & Integers<"expires_at"> & Nullable<Texts<"answer">>
}

export type Queries = Kysely<Tables>

/** Queries run where the engine reads. What changes something is compiled and given to the engine's `write`. */
export function createQueries(engine: Engine): Queries {
  return new Kysely<Tables>({ dialect: dialectOf(engine) })
}

/** In the engine's form. */
export function statement(query: { compile(): CompiledQuery<unknown> }): Statement {
  const { sql, parameters } = query.compile()
  return { sql, parameters: parameters as readonly Value[] }
}

function dialectOf(engine: Engine): Dialect {
  const createDriver = (): Driver => readingDriver(engine)
  return engine.kind === "postgres"
    ? {
        createDriver,
        createAdapter: () => new PostgresAdapter(),
        createQueryCompiler: () => new PostgresQueryCompiler(),
        createIntrospector: (database) => new PostgresIntrospector(database),
      }
    : {
        createDriver,
        createAdapter: () => new SqliteAdapter(),
        createQueryCompiler: () => new SqliteQueryCompiler(),
        createIntrospector: (database) => new SqliteIntrospector(database),
      }
}

function readingDriver(engine: Engine): Driver {
  const connection: DatabaseConnection = {
    async executeQuery<Result>({ sql, parameters }: CompiledQuery): Promise<QueryResult<Result>> {
      const rows = await engine.read({ sql, parameters: parameters as readonly Value[] })
      return { rows: rows as Result[] }
    },
    streamQuery: () => never("stream"),
  }
  return {
    init: async () => {},
    acquireConnection: async () => connection,
    releaseConnection: async () => {},
    destroy: async () => {},
    beginTransaction: () => never("begin a transaction"),
    commitTransaction: () => never("commit"),
    rollbackTransaction: () => never("roll back"),
  }
}

function never(deed: string): never {
  throw new Error(
    `The store's queries do not ${deed}: a transaction is a list of statements for the engine's write.`,
  )
}
