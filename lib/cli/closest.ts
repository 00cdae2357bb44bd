/**
 * Finds the name that was probably meant by a misspelled one: one that begins with it, or one with at most two typos.
 *
 * @returns undefined if no name is similar.
 */
export function closest(name: string, names: readonly string[]): string | undefined {
  return (
    names.find((known) => known.startsWith(name)) ??
    names.find((known) => isSimilar(name, known, 1)) ??
    names.find((known) => isSimilar(name, known, 2))
  )
}

/** Whether one text becomes the other if at most some characters are replaced, removed or added. */
function isSimilar(a: string, b: string, typos: number): boolean {
  if (a === b) return true
  const [restA, restB] = [a.slice(1), b.slice(1)]
  if (a.codePointAt(0) === b.codePointAt(0)) return isSimilar(restA, restB, typos)
  if (typos === 0) return false
  return (
    isSimilar(restA, restB, typos - 1) || isSimilar(restA, b, typos - 1) || isSimilar(a, restB, typos - 1)
  )
}
