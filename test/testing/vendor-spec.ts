import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { at } from './support'

// The vendor's API descriptions are not part of the project. They are looked for beside it.
const FOLDER = process.env['VENDOR_SPECS'] ?? join(__dirname, '../../../shared/specs')

export const SPECS_ARE_HERE = existsSync(FOLDER)

type Schema = Record<string, unknown>

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)
// Formats of the descriptions' own, which say nothing that the type does not.
ajv.addFormat('string', true).addFormat('int64', true)

/** One of the vendor's API descriptions. */
export class Spec {
  private readonly document: unknown

  constructor(file: string) {
    this.document = parse(readFileSync(join(FOLDER, file), 'utf8'))
  }

  at(...path: (string | number)[]): unknown {
    return at(this.document, ...path)
  }

  /** The answer that is described for a status, or for any other; undefined where there is none or it has no body. */
  answerSchema(path: string, method: string, status: number): Schema | undefined {
    const responses = this.at('paths', path, method, 'responses')
    const response = this.resolve(at(responses, String(status)) ?? at(responses, 'default'))
    return asSchema(at(response, 'content', 'application/json', 'schema'))
  }

  requestSchema(path: string, method: string, type = 'application/json'): Schema | undefined {
    return asSchema(this.at('paths', path, method, 'requestBody', 'content', type, 'schema'))
  }

  component(name: string): Schema {
    return asSchema(this.at('components', 'schemas', name)) ?? {}
  }

  /**
   * What a value has that the description does not, and lacks that it has: every described property counts as required
   * but for those that it calls optional, and no other is allowed.
   */
  complaints(schema: Schema, value: unknown): string[] {
    const validate = ajv.compile(this.close(schema))
    validate(value)
    const complaints = (validate.errors ?? []).map(({ instancePath, message = '', params }) => {
      const extra = at(params, 'additionalProperty')
      const where = instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*') || '/'
      return `${where} ${message}${typeof extra === 'string' ? `: ${extra}` : ''}`
    })
    return [...new Set(complaints)].sort()
  }

  /** A schema without references and `allOf`, that allows what it describes and nothing else. */
  private close(schema: unknown): Schema {
    const { allOf, ...own } = this.resolve(schema)
    const parts = [own, ...(Array.isArray(allOf) ? allOf.map((part) => this.flatten(part)) : [])]
    const properties = Object.assign({}, ...parts.map((part) => part['properties'])) as Schema
    const names = Object.keys(properties)
    const items = own['items'] === undefined ? {} : { items: this.close(own['items']) }
    if (names.length === 0) return { ...own, ...items }
    return {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, this.close(properties[name])])),
      required: names.filter((name) => !isOptional(properties[name])),
      additionalProperties: false,
    }
  }

  private flatten(schema: unknown): Schema {
    const { allOf, ...own } = this.resolve(schema)
    const parts = [own, ...(Array.isArray(allOf) ? allOf.map((part) => this.flatten(part)) : [])]
    return { properties: Object.assign({}, ...parts.map((part) => part['properties'])) as Schema }
  }

  private resolve(value: unknown): Schema {
    const reference = at(value, '$ref')
    if (typeof reference !== 'string') return asSchema(value) ?? {}
    return this.resolve(this.at(...reference.replace('#/', '').split('/')))
  }
}

function isOptional(schema: unknown): boolean {
  const description = at(schema, 'description')
  return typeof description === 'string' && /^Optional |Only required for/.test(description)
}

function asSchema(value: unknown): Schema | undefined {
  return typeof value === 'object' && value !== null ? (value as Schema) : undefined
}
