// After the compiler: the declarations of each entry point in one file, and the command line and the simulator in one file
// each, minified. The library itself stays as the compiler writes it, so that stack traces and debuggers show readable code.
import { existsSync, rmSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import { minifySync, transformSync } from '@swc/core'
import { dts } from 'rollup-plugin-dts'

/** Compiles TypeScript without types, and minifies. Names stay, because errors show them. */
const swc = {
  name: 'swc',
  resolveId(source, importer) {
    if (!source.startsWith('.') || !importer) return null
    const path = resolve(dirname(importer), source)
    return [`${path}.ts`, `${path}/index.ts`].find((file) => existsSync(file)) ?? null
  },
  transform: (code, filename) =>
    transformSync(code, {
      filename,
      jsc: { target: 'es2022', parser: { syntax: 'typescript' } },
      module: { type: 'es6' },
    }).code,
  renderChunk: (code) =>
    minifySync(code, {
      compress: true,
      mangle: { keep_fnames: true, keep_classnames: true },
      format: { comments: false },
    }).code,
}

// The compiler wrote these file by file.
for (const folder of ['dist/cli', 'dist/testing']) rmSync(folder, { recursive: true, force: true })

export default [
  {
    input: { 'cli/index': 'lib/cli/index.ts', 'testing/index': 'lib/testing/index.ts' },
    output: {
      dir: 'dist',
      format: 'cjs',
      exports: 'named',
      chunkFileNames: 'testing/[name].js',
      esModule: true,
    },
    external: /^node:/,
    plugins: [swc],
  },
  ...['index', 'testing/index'].map((entry) => ({
    input: `lib/${entry}.ts`,
    output: { file: `dist/${entry}.d.ts`, format: 'es' },
    external: /^node:/,
    plugins: [dts({ tsconfig: 'tsconfig.build.json', compilerOptions: { removeComments: false } })],
  })),
]
