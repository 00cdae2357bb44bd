// Writes one file for each entry point, and one of its declarations. One file loads faster than sixty and packs smaller.
// The library stays readable for stack traces and debuggers; the command line and the simulator are minified.
import { existsSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { minifySync } from '@swc/core'
import { dts } from 'rollup-plugin-dts'
import ts from 'typescript'

/** `npm run build` checks the types before. */
const typescript = {
  name: 'typescript',
  resolveId(source, importer) {
    if (!source.startsWith('.') || !importer) return null
    const path = resolve(dirname(importer), source)
    return [`${path}.ts`, `${path}/index.ts`].find((file) => existsSync(file)) ?? null
  },
  transform: (code, fileName) =>
    ts.transpileModule(code, {
      fileName,
      compilerOptions: {
        target: ts.ScriptTarget.ES2022,
        module: ts.ModuleKind.ESNext,
        removeComments: true,
      },
    }).outputText,
}

/** Names of classes stay, because errors show them. */
const minify = {
  name: 'minify',
  renderChunk: (code) =>
    minifySync(code, {
      compress: true,
      mangle: { keep_classnames: true, toplevel: true },
      format: { comments: false },
    }).code,
}

const external = /^[^./]/
const output = { dir: 'dist', format: 'cjs', exports: 'named', esModule: true, interop: 'auto' }

export default [
  { input: 'lib/index.ts', output, external, plugins: [typescript] },
  {
    // The tests of the command line run `main` as it is installed.
    input: {
      'cli/index': 'lib/cli/index.ts',
      'cli/main': 'lib/cli/main.ts',
      'testing/index': 'lib/testing/index.ts',
    },
    output: { ...output, chunkFileNames: 'testing/[name].js' },
    external,
    plugins: [typescript, minify],
  },
  ...['index', 'testing/index'].map((entry) => ({
    input: `lib/${entry}.ts`,
    output: { file: `dist/${entry}.d.ts`, format: 'es' },
    external: /^node:/,
    plugins: [dts({ tsconfig: 'tsconfig.build.json', compilerOptions: { removeComments: false } })],
  })),
]
