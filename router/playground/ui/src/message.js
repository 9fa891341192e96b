// message is an error for people: GraphiQL prints what it finds on an error, and a stack helps nobody there.
export function message(text) {
  const error = new Error(text)
  delete error.stack
  return error
}
