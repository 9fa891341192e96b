import { parse } from 'graphql'
import { useState } from 'react'
import { config } from './config.js'
import { post } from './fetcher.js'
import { adoptToken, loginError } from './session.js'

// The fields of the form are the variables of the login operation.
function fields() {
  return parse(config.login.operation).definitions[0].variableDefinitions.map(definition => definition.variable.name.value)
}

function label(name) {
  return name.replace(/([a-z])([A-Z])/g, '$1 $2').replace(/^./, first => first.toUpperCase())
}

function inputType(name) {
  if (/password|secret/i.test(name)) return 'password'
  return /e-?mail/i.test(name) ? 'email' : 'text'
}

// LoginForm sends the configured login operation and keeps the token it returns.
export function LoginForm({ onDone }) {
  try {
    return <Form names={fields()} onDone={onDone} />
  } catch (error) {
    return <p className="problem" role="alert">The configured login operation is not valid: {error.message}</p>
  }
}

function Form({ names, onDone }) {
  const [values, setValues] = useState({})
  const [problem, setProblem] = useState('')
  const [busy, setBusy] = useState(false)

  async function submit(event) {
    event.preventDefault()
    setBusy(true)
    setProblem('')
    try {
      const result = await post({ query: config.login.operation, variables: values })
      if (adoptToken(result)) onDone()
      else setProblem(loginError(result))
    } catch (error) {
      setProblem(error.message)
    } finally {
      setBusy(false)
    }
  }

  return (
    <form onSubmit={submit} data-testid="login-form">
      <Accounts onChoose={setValues} />
      {names.map(name => (
        <label key={name}>
          {label(name)}
          <input
            name={name}
            type={inputType(name)}
            required
            value={values[name] ?? ''}
            onChange={event => setValues({ ...values, [name]: event.target.value })}
          />
        </label>
      ))}
      {problem && <p className="problem" role="alert">{problem}</p>}
      <button type="submit" className="graphiql-button" disabled={busy}>{busy ? 'Signing in …' : 'Sign in'}</button>
    </form>
  )
}

function Accounts({ onChoose }) {
  if (!config.login.accounts?.length) return null
  return (
    <div className="accounts">
      <span>Fill in</span>
      {config.login.accounts.map(account => (
        <button type="button" className="plain" key={account.name} onClick={() => onChoose(account.variables)}>{account.name}</button>
      ))}
    </div>
  )
}
