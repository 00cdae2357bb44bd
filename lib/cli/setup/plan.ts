import { randomBytes } from 'node:crypto'
import { INTEGRATION_NAME } from '../doctor/webhook-checks'
import type { EnvFile } from '../env-file'
import { isObject, type JsonObject } from '../json'
import { CODE_EVENT, type Integration, type Profile, type Store } from '../store'
import type { Terminal } from '../terminal'

/** One thing that `setup` changes, as it is shown before it happens. */
export interface Change {
  readonly id: 'env' | 'profile' | 'integration'
  readonly target: string
  readonly fields: readonly FieldChange[]
  apply(): Promise<void>
}

interface FieldChange {
  readonly name: string
  /** Undefined if there is no such field yet. */
  readonly before?: string | undefined
  readonly after: string
}

/** The secret that the webhook is to have. */
export interface Secret {
  readonly value: string
  /** Whether it was made just now. */
  readonly isNew: boolean
  /** Whether it was made in place of one that shops may use. */
  readonly replaces: boolean
}

const HIDDEN = '(hidden)'
const NEW_PROFILE = 'Shoppers'

export function makeSecret({ replaces }: { replaces: boolean }): Secret {
  return { value: randomBytes(32).toString('hex'), isNew: true, replaces }
}

/** Turns codes on for a profile, or creates one with codes on. Other fields stay as they are. */
export function profileChange(
  store: Store,
  realmId: string,
  profile: Profile | undefined,
): Change | undefined {
  if (profile?.issuesCodes) return undefined
  if (profile) {
    const target = `Password profile "${profile.name}" (${profile.id})`
    const fields = [{ name: 'enable_one_time_password_token', before: 'false', after: 'true' }]
    const apply = () => store.updateProfile(realmId, profile, { enable_one_time_password_token: true })
    return { id: 'profile', target, fields, apply }
  }
  const data = { name: NEW_PROFILE, username_format: 'email', enable_one_time_password_token: true }
  return {
    id: 'profile',
    target: 'New password profile',
    fields: Object.entries(data).map(([name, value]) => ({ name, after: String(value) })),
    apply: () => store.createProfile(realmId, data),
  }
}

/** Creates or corrects the webhook integration. It keeps its other events and fields. */
export function integrationChange(
  store: Store,
  existing: Integration | undefined,
  url: string,
  secret: Secret,
): Change | undefined {
  const observes = [...new Set([...(existing?.observes ?? []), CODE_EVENT])]
  const configuration = { url, secret_key: secret.value }
  const wanted = {
    name: INTEGRATION_NAME,
    enabled: true,
    integration_type: 'webhook',
    observes,
    configuration,
  }
  const secretField = { name: 'configuration.secret_key', after: secret.isNew ? '(a new secret)' : HIDDEN }
  const fields: FieldChange[] = [
    { name: 'name', before: existing?.name, after: INTEGRATION_NAME },
    { name: 'enabled', before: existing && String(existing.enabled), after: 'true' },
    { name: 'observes', before: existing?.observes.join(', '), after: observes.join(', ') },
    { name: 'configuration.url', before: existing?.url, after: url },
  ].filter(({ before, after }) => before !== after)
  if (!existing) {
    const description = 'Delivers one-time codes to the shop.'
    const apply = () => store.createIntegration({ ...wanted, description })
    return { id: 'integration', target: 'New webhook integration', fields: [...fields, secretField], apply }
  }
  const hasSecret = existing.secretKey === undefined ? !secret.isNew : existing.secretKey === secret.value
  if (!hasSecret) fields.push({ ...secretField, before: HIDDEN })
  if (fields.length === 0) return undefined
  const { configuration: before } = existing.fields
  const kept: JsonObject = isObject(before) ? before : {}
  return {
    id: 'integration',
    target: `Webhook integration "${existing.name}" (${existing.id})`,
    fields,
    apply: () =>
      store.updateIntegration(existing, { ...wanted, configuration: { ...kept, ...configuration } }),
  }
}

/** Adds lines to `.env`. Values that differ are replaced only if they are in `replace`. */
export function envChange(file: EnvFile, lines: Readonly<Record<string, string>>): Change | undefined {
  const entries = Object.entries(lines)
  if (entries.length === 0) return undefined
  return {
    id: 'env',
    target: `${file.exists ? '' : 'New file '}${file.path}`,
    fields: entries.map(([name, value]) => ({
      name,
      before: file.values[name] === undefined ? undefined : HIDDEN,
      after: isSecretName(name) ? HIDDEN : value,
    })),
    apply: () => file.write(lines),
  }
}

export function showChanges(terminal: Terminal, changes: readonly Change[]): void {
  for (const { target, fields } of changes) {
    terminal.line(terminal.paint('bold', target))
    for (const { name, before, after } of fields) {
      if (before !== undefined) terminal.line(terminal.paint('red', `  - ${name}: ${before}`))
      terminal.line(terminal.paint('green', `  + ${name}: ${after}`))
    }
    terminal.line()
  }
}

export function isSecretName(name: string): boolean {
  return name.endsWith('_SECRET')
}
