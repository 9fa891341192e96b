import { createHash } from 'node:crypto'
import { readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync } from 'node:zlib'
import { defineConfig } from 'vite'

const dist = join(import.meta.dirname, '..', 'dist')

// sourcesHash covers every file of this folder except installed packages, as
// "sha256(path NUL content NUL)…" in path order. The Go test of the package computes the same.
function sourcesHash() {
  const hash = createHash('sha256')
  const files = readdirSync(import.meta.dirname, { recursive: true, withFileTypes: true })
    .filter(entry => entry.isFile())
    .map(entry => join(entry.parentPath, entry.name).slice(import.meta.dirname.length + 1).replaceAll('\\', '/'))
    .filter(path => !path.startsWith('node_modules/'))
    .sort()
  for (const path of files) {
    hash.update(path).update('\0').update(readFileSync(join(import.meta.dirname, path))).update('\0')
  }
  return hash.digest('hex')
}

// The assets are committed and embedded compressed only: a quarter of the size in the repository
// and in the binary, and what nearly every browser asks for anyway.
const compressAssets = {
  name: 'compress-assets',
  closeBundle() {
    const assets = join(dist, 'assets')
    for (const name of readdirSync(assets)) {
      const path = join(assets, name)
      writeFileSync(path + '.gz', gzipSync(readFileSync(path), { level: constants.Z_BEST_COMPRESSION }))
      rmSync(path)
    }
    const licenses = join(dist, 'licenses.md')
    writeFileSync(licenses, readFileSync(licenses, 'utf8').replaceAll('\r\n', '\n'))
    writeFileSync(join(dist, 'sources.sha256'), sourcesHash() + '\n')
  },
}

export default defineConfig({
  base: './',
  build: {
    outDir: dist,
    emptyOutDir: true,
    target: 'es2022',
    license: { fileName: 'licenses.md' },
    chunkSizeWarningLimit: 4096,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      // "use client" means something to server-side rendering only.
      onwarn: (warning, warn) => warning.code === 'MODULE_LEVEL_DIRECTIVE' || warn(warning),
    },
  },
  worker: { format: 'es' },
  plugins: [compressAssets],
})
