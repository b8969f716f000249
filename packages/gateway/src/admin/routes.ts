/** The admin API as data: `handle.ts` serves this table and `openapi.ts` documents it. */
import {
  adminCallContentSchema,
  adminCallEventsSchema,
  adminCallFilterSchema,
  adminCallPageSchema,
  adminCallSchema,
  adminCallsQuerySchema,
  adminDeletedSchema,
  adminEventsQuerySchema,
  adminKeyCreateSchema,
  adminKeyPageSchema,
  adminKeyPatchSchema,
  adminKeyRotateSchema,
  adminKeySchema,
  adminKeysQuerySchema,
  adminKeyWithSecretSchema,
  adminNoQuerySchema,
  adminPageQuerySchema,
  adminProjectCreateSchema,
  adminProjectPageSchema,
  adminProjectPatchSchema,
  adminProjectSchema,
  adminUsageQuerySchema,
  adminUsageSchema,
} from "@sluice/protocol/schema"
import { getCall, getCallContent, getCallEvents, listCalls } from "./calls.ts"
import { CSV, exportCalls, JSON_LINES } from "./export.ts"
import { createKey, deleteKey, getKey, listKeys, patchKey, rotateKey } from "./keys.ts"
import { createProject, deleteProject, getProject, listProjects, patchProject } from "./projects.ts"
import { type AdminRoute, route } from "./route.ts"
import { readUsage } from "./usage.ts"

const none = adminNoQuerySchema

export const ADMIN_ROUTES: readonly AdminRoute[] = [
  route({
    method: "GET",
    path: "/keys",
    summary: "Stored keys, newest first",
    query: adminKeysQuerySchema,
    answer: { status: 200, schema: adminKeyPageSchema },
    serve: ({ query }, part) => listKeys(part, query),
  }),
  route({
    method: "POST",
    path: "/keys",
    summary: "Make a key; its secret is shown in this answer and never again",
    query: none,
    body: { schema: adminKeyCreateSchema },
    answer: { status: 201, schema: adminKeyWithSecretSchema },
    serve: ({ body }, part) => createKey(part, body),
  }),
  route({
    method: "GET",
    path: "/keys/{id}",
    summary: "One key, with what it has spent",
    query: none,
    answer: { status: 200, schema: adminKeySchema },
    serve: ({ id }, part) => getKey(part, id),
  }),
  route({
    method: "PATCH",
    path: "/keys/{id}",
    summary: "Change a key; what is left out stays as it is",
    query: none,
    body: { schema: adminKeyPatchSchema },
    answer: { status: 200, schema: adminKeySchema },
    serve: ({ id, body }, part) => patchKey(part, id, body),
  }),
  route({
    method: "POST",
    path: "/keys/{id}/rotate",
    summary: "Give a key a new secret; the old one stays good for `grace_seconds`",
    query: none,
    body: { schema: adminKeyRotateSchema, optional: true },
    answer: { status: 200, schema: adminKeyWithSecretSchema },
    serve: ({ id, body }, part) => rotateKey(part, id, body),
  }),
  route({
    method: "DELETE",
    path: "/keys/{id}",
    summary: "Take a key back for good; its calls stay in the books",
    query: none,
    answer: { status: 200, schema: adminDeletedSchema },
    serve: ({ id }, part) => deleteKey(part, id),
  }),
  route({
    method: "GET",
    path: "/projects",
    summary: "Projects, newest first",
    query: adminPageQuerySchema,
    answer: { status: 200, schema: adminProjectPageSchema },
    serve: ({ query }, part) => listProjects(part, query),
  }),
  route({
    method: "POST",
    path: "/projects",
    summary: "Make a project",
    query: none,
    body: { schema: adminProjectCreateSchema },
    answer: { status: 201, schema: adminProjectSchema },
    serve: ({ body }, part) => createProject(part, body),
  }),
  route({
    method: "GET",
    path: "/projects/{id}",
    summary: "One project, with what its keys have spent",
    query: none,
    answer: { status: 200, schema: adminProjectSchema },
    serve: ({ id }, part) => getProject(part, id),
  }),
  route({
    method: "PATCH",
    path: "/projects/{id}",
    summary: "Change a project; what is left out stays as it is",
    query: none,
    body: { schema: adminProjectPatchSchema },
    answer: { status: 200, schema: adminProjectSchema },
    serve: ({ id, body }, part) => patchProject(part, id, body),
  }),
  route({
    method: "DELETE",
    path: "/projects/{id}",
    summary: "Delete a project that has no keys",
    query: none,
    answer: { status: 200, schema: adminDeletedSchema },
    serve: ({ id }, part) => deleteProject(part, id),
  }),
  route({
    method: "GET",
    path: "/usage",
    summary: "Calls, tokens and cost of settled calls, in groups",
    query: adminUsageQuerySchema,
    answer: { status: 200, schema: adminUsageSchema },
    serve: ({ query }, part) => readUsage(part, query),
  }),
  route({
    method: "GET",
    path: "/calls",
    summary: "Calls, newest first",
    query: adminCallsQuerySchema,
    answer: { status: 200, schema: adminCallPageSchema },
    serve: ({ query }, part) => listCalls(part, query),
  }),
  route({
    method: "GET",
    path: "/calls.csv",
    summary: "All calls of a filter, as CSV",
    query: adminCallFilterSchema,
    answer: { status: 200, mediaType: CSV.mediaType },
    async serve({ query, call }, part) {
      await exportCalls(call, part, query, CSV)
      return undefined
    },
  }),
  route({
    method: "GET",
    path: "/calls.jsonl",
    summary: "All calls of a filter, as JSON lines",
    query: adminCallFilterSchema,
    answer: { status: 200, mediaType: JSON_LINES.mediaType },
    async serve({ query, call }, part) {
      await exportCalls(call, part, query, JSON_LINES)
      return undefined
    },
  }),
  route({
    method: "GET",
    path: "/calls/{id}",
    summary: "One call, with its attempts",
    query: none,
    answer: { status: 200, schema: adminCallSchema },
    serve: ({ id }, part) => getCall(part, id),
  }),
  route({
    method: "GET",
    path: "/calls/{id}/events",
    summary: "What a call has sent, event by event, while its stream is kept",
    query: adminEventsQuerySchema,
    answer: { status: 200, schema: adminCallEventsSchema },
    serve: ({ id, query }, part) => getCallEvents(part, id, query.after ?? 0),
  }),
  route({
    method: "GET",
    path: "/calls/{id}/content",
    summary: "What a call asked and was answered, where its key has that kept",
    query: none,
    answer: { status: 200, schema: adminCallContentSchema },
    serve: ({ id }, part) => getCallContent(part, id),
  }),
]
