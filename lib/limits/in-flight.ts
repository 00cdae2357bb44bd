/** Bounds how many requests are in progress. */
export class InFlight {
  private all = 0
  private ordinary = 0

  /**
   * @param total - How many requests may be in progress.
   * @param reserved - How many of them are kept for privileged requests.
   */
  constructor(
    private readonly total: number,
    private readonly reserved = 0,
  ) {}

  /** @returns A function to call when the request has ended, or undefined if there is no room for it. */
  enter(privileged: boolean): (() => void) | undefined {
    const isFull = this.all >= this.total || (!privileged && this.ordinary >= this.total - this.reserved)
    if (isFull) return undefined
    this.all++
    if (!privileged) this.ordinary++
    let left = false
    return () => {
      if (left) return
      left = true
      this.all--
      if (!privileged) this.ordinary--
    }
  }
}
