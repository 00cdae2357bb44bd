import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Ajv2020 from 'ajv/dist/2020'
import addFormats from 'ajv-formats'
import { parse } from 'yaml'
import { at } from '../testing/support'

// Elastic Path's OpenAPI descriptions are not part of the project. Set VENDOR_SPECS to the folder that contains them.
const FOLDER = process.env['VENDOR_SPECS'] ?? join(__dirname, '../../../shared/specs')

export const SPECS_ARE_HERE = existsSync(FOLDER)

type Schema = Record<string, unknown>

const ajv = new Ajv2020({ strict: false, allErrors: true })
addFormats(ajv)
// Custom formats in the descriptions. They add no constraint to the type.
ajv.addFormat('string', true).addFormat('int64', true).addFormat('int', true)

/** One of Elastic Path's OpenAPI descriptions. */
export class Spec {
  private readonly document: unknown

  constructor(file: string) {
    this.document = parse(readFileSync(join(FOLDER, file), 'utf8'))
  }

  at(...path: (string | number)[]): unknown {
    return at(this.document, ...path)
  }

  /** The schema of the response with a status, or of the default response. Undefined if it has none or no body. */
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
   * Compares a value with a schema. Properties that the schema does not describe are not allowed.
   *
   * @param required 'all': every property is required, unless its description says that it is optional; 'listed': only
   * the properties that the schema lists as required
   * @returns the differences, one string each
   */
  complaints(schema: Schema, value: unknown, required: 'all' | 'listed' = 'all'): string[] {
    const validate = ajv.compile(this.close(schema, required === 'all'))
    validate(value)
    const complaints = (validate.errors ?? []).map(({ instancePath, message = '', params }) => {
      const extra = at(params, 'additionalProperty')
      const path = instancePath.replaceAll(/\/\d+(?=\/|$)/g, '/*') || '/'
      return `${path} ${message}${typeof extra === 'string' ? `: ${extra}` : ''}`
    })
    return [...new Set(complaints)].sort()
  }

  /** Resolves references and `allOf`, and disallows all properties that the schema does not describe. */
  private close(schema: unknown, all: boolean): Schema {
    const { allOf: _allOf, oneOf, anyOf, ...own } = this.resolve(schema)
    const parts = this.partsOf(schema)
    const choices = [oneOf, anyOf].find(Array.isArray) as unknown[] | undefined
    const properties = Object.assign({}, ...parts.map((part) => part['properties'])) as Schema
    const names = Object.keys(properties)
    if (choices && names.length === 0) return { anyOf: choices.map((choice) => this.close(choice, all)) }
    const items = own['items'] === undefined ? {} : { items: this.close(own['items'], all) }
    const others = own['additionalProperties']
    const values = asSchema(others) ? { additionalProperties: this.close(others, all) } : {}
    if (names.length === 0) return { ...own, ...items, ...values }
    const listed = parts.flatMap((part) => (part['required'] ?? []) as string[])
    return {
      type: 'object',
      properties: Object.fromEntries(names.map((name) => [name, this.close(properties[name], all)])),
      required: all ? names.filter((name) => !isOptional(properties[name])) : [...new Set(listed)],
      additionalProperties: false,
    }
  }

  /** Returns a schema and everything in its `allOf`, including the first choice of an `anyOf`. */
  private partsOf(schema: unknown): Schema[] {
    const { allOf, ...own } = this.resolve(schema)
    const parts: unknown[] = Array.isArray(allOf) ? allOf : []
    const choices = parts.length === 0 ? [] : parts.flatMap((part) => firstOf(this.resolve(part)['anyOf']))
    return [own, ...[...parts, ...choices].flatMap((part) => this.partsOf(part))]
  }

  private resolve(value: unknown): Schema {
    const reference = at(value, '$ref')
    if (typeof reference !== 'string') return asSchema(value) ?? {}
    return this.resolve(this.at(...reference.replace('#/', '').split('/')))
  }
}

function firstOf(list: unknown): unknown[] {
  return Array.isArray(list) ? list.slice(0, 1) : []
}

function isOptional(schema: unknown): boolean {
  const description = at(schema, 'description')
  return typeof description === 'string' && /^Optional |Only required for/.test(description)
}

function asSchema(value: unknown): Schema | undefined {
  return typeof value === 'object' && value !== null ? (value as Schema) : undefined
}
