// A page waits so long for what it can do without.
const PATIENCE = 2000

/** What comes of work that a page would rather not wait for: its value, or undefined where that takes too long. */
export async function patiently<T>(work: Promise<T>): Promise<T | undefined> {
  let timer: NodeJS.Timeout | undefined
  const impatience = new Promise<undefined>((resolve) => {
    timer = setTimeout(resolve, PATIENCE, undefined)
  })
  try {
    return await Promise.race([work, impatience])
  } finally {
    clearTimeout(timer)
  }
}
