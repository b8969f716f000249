/**
 * How a vendor's page marks the members of a type. The vendors' types are views of the one canonical model: the
 * same members, each with that page's own marks.
 */

/** Required. */
export type Always<T, Name extends keyof T> = { [N in Name]-?: NonNullable<T[N]> }

/** May be left out, but is never null. */
export type Optional<T, Name extends keyof T> = { [N in Name]?: NonNullable<T[N]> | undefined }

/** Always, if only as null. */
export type Nullable<T, Name extends keyof T> = { [N in Name]-?: NonNullable<T[N]> | null }

/** May be left out, or null. */
export type Nullish<T, Name extends keyof T> = { [N in Name]?: NonNullable<T[N]> | null | undefined }
