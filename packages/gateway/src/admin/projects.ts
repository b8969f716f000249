/** Projects: they group keys, and have budgets of their own. */
import type {
  AdminDeleted,
  AdminPage,
  AdminProject,
  AdminProjectCreate,
  AdminProjectPatch,
} from "@sluice/protocol"
import { GatewayError } from "../gateway-error.ts"
import { newId } from "../ids.ts"
import type { ProjectRecord } from "../store/key-record.ts"
import { budgetFrom } from "./keys.ts"
import { type PageAsked, pageOf } from "./page.ts"
import type { AdminPart } from "./part.ts"
import { projectOnWire } from "./wire.ts"

export async function listProjects(part: AdminPart, asked: PageAsked): Promise<AdminPage<AdminProject>> {
  const { items, next } = pageOf(await part.store.projects.list(), asked)
  return { data: await Promise.all(items.map((project) => shown(part, project))), next }
}

export async function createProject(part: AdminPart, wanted: AdminProjectCreate): Promise<AdminProject> {
  const project = await part.store.projects.create({
    id: newId("proj_"),
    name: wanted.name,
    budget: budgetFrom(wanted.budget ?? null),
    createdAt: part.now(),
  })
  return shown(part, project)
}

export async function getProject(part: AdminPart, id: string): Promise<AdminProject> {
  return shown(part, existing(id, await part.store.projects.get(id)))
}

export async function patchProject(
  part: AdminPart,
  id: string,
  { name, budget }: AdminProjectPatch,
): Promise<AdminProject> {
  const project = await part.store.projects.patch(id, {
    ...(name === undefined ? {} : { name }),
    ...(budget === undefined ? {} : { budget: budgetFrom(budget) }),
  })
  return shown(part, existing(id, project))
}

export async function deleteProject({ store }: AdminPart, id: string): Promise<AdminDeleted> {
  if (!(await store.projects.delete(id))) throw unknownProject(id)
  return { id, deleted: true }
}

async function shown({ store, now }: AdminPart, project: ProjectRecord): Promise<AdminProject> {
  return projectOnWire(project, await store.spend("project", project.id, now()))
}

function existing(id: string, project: ProjectRecord | undefined): ProjectRecord {
  if (project === undefined) throw unknownProject(id)
  return project
}

function unknownProject(id: string): GatewayError {
  return new GatewayError("not_found", `There is no project '${id}'.`)
}
