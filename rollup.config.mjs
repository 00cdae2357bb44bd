// The declarations of each entry point in one file; the code itself is the compiler's, file by file.
import { dts } from 'rollup-plugin-dts'

export default ['index', 'testing/index'].map((entry) => ({
  input: `lib/${entry}.ts`,
  output: { file: `dist/${entry}.d.ts`, format: 'es' },
  external: /^node:/,
  plugins: [dts({ tsconfig: 'tsconfig.build.json', compilerOptions: { removeComments: false } })],
}))
