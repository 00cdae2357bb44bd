/** Limits the width of tables. They cannot be wrapped, and markdownlint's line limit has no separate value for them. */
export default {
  names: ['table-width'],
  description: 'Table is too wide',
  tags: ['table'],
  parser: 'none',
  function: ({ lines, config }, onError) => {
    for (const [i, line] of lines.entries()) {
      if (line.startsWith('|') && line.length > config.line_length) {
        onError({ lineNumber: i + 1, detail: `Expected: ${config.line_length}; Actual: ${line.length}` })
      }
    }
  },
}
