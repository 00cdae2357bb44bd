/** HTML that is escaped already. */
export class Html {
  constructor(readonly text: string) {}
}

type Value = Html | readonly Html[] | string | number

/** Builds HTML. Strings and numbers are escaped; HTML is inserted as it is. */
export function html(parts: TemplateStringsArray, ...values: readonly Value[]): Html {
  return new Html(parts.map((part, index) => part + insert(values[index] ?? '')).join(''))
}

function insert(value: Value): string {
  if (value instanceof Html) return value.text
  if (typeof value === 'string' || typeof value === 'number') return escape(String(value))
  return value.map(({ text }) => text).join('')
}

function escape(text: string): string {
  return text.replace(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`)
}
