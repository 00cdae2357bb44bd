/** Whether a text has only visible ASCII characters, so that Unicode normalization does not change it. */
export function isPlainText(text: string): boolean {
  return /^[\x21-\x7e]*$/.test(text)
}
