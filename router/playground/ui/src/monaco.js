import EditorWorker from 'monaco-editor/esm/vs/editor/editor.worker.js?worker'
import JSONWorker from 'monaco-editor/esm/vs/language/json/json.worker.js?worker'
import GraphQLWorker from 'monaco-graphql/esm/graphql.worker.js?worker'

// Monaco asks here for its language services; Vite makes each a file of its own beside the page.
globalThis.MonacoEnvironment = {
  getWorker(_id, label) {
    if (label === 'graphql') return new GraphQLWorker()
    if (label === 'json') return new JSONWorker()
    return new EditorWorker()
  },
}
