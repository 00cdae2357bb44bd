const MOST_TYPOS = 2

/**
 * Finds the name that was probably meant by a misspelled one: one that begins with it, or the one with the fewest typos.
 *
 * @returns undefined if no name is similar.
 */
export function closest(name: string, names: readonly string[]): string | undefined {
  const extended = name.length > 2 ? names.find((known) => known.startsWith(name)) : undefined
  if (extended !== undefined) return extended
  const typos = names.map((known) => [distance(name, known), known] as const)
  return typos.filter(([count]) => count <= MOST_TYPOS).sort(([a], [b]) => a - b)[0]?.[1]
}

/** The Levenshtein distance: how many characters have to be added, removed or replaced. */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, index) => index)
  for (let i = 0; i < a.length; i++) {
    const next = [i + 1]
    for (let j = 0; j < b.length; j++) {
      const replaced = (row[j] ?? 0) + (a[i] === b[j] ? 0 : 1)
      next.push(Math.min(replaced, (row[j + 1] ?? 0) + 1, (next[j] ?? 0) + 1))
    }
    row = next
  }
  return row.at(-1) ?? 0
}
