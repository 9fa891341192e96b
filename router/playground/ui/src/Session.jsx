import { Dialog } from '@graphiql/react'
import { useEffect, useState } from 'react'
import { config } from './config.js'
import { LoginForm } from './LoginForm.jsx'
import { claims, signIn, signOut, useToken } from './session.js'

// Session is the button at the top right: sign in, or who is signed in and until when.
export function Session() {
  const token = useToken()
  const [open, setOpen] = useState(false)
  return (
    <>
      {token ? <Badge token={token} onOpen={() => setOpen(true)} /> : (
        <button type="button" className="plain" data-testid="sign-in" onClick={() => setOpen(true)}>Sign in</button>
      )}
      <Dialog open={open} onOpenChange={setOpen}>
        <div className="graphiql-dialog-header">
          <Dialog.Title className="graphiql-dialog-title">Sign in</Dialog.Title>
          <Dialog.Close />
        </div>
        <div className="session">
          <Dialog.Description className="hint">
            The token is sent as <code>Authorization: Bearer …</code> with every operation, until this tab is closed.
          </Dialog.Description>
          {config.login && <LoginForm onDone={() => setOpen(false)} />}
          <TokenForm onDone={() => setOpen(false)} />
        </div>
      </Dialog>
    </>
  )
}

function Badge({ token, onOpen }) {
  const left = useSecondsLeft(claims(token).exp)
  const { sub, email, name } = claims(token)
  const expired = left !== null && left <= 0
  return (
    <span className={expired ? 'badge expired' : 'badge'} data-testid="badge">
      <button type="button" className="who" onClick={onOpen} title={email ?? name ?? sub ?? 'Change the token'}>
        {expired ? 'Token expired' : 'Signed in'}
        {!expired && left !== null && <small> {duration(left)}</small>}
      </button>
      <button type="button" className="clear" aria-label="Sign out: forget the token" title="Forget the token" onClick={signOut}>×</button>
    </span>
  )
}

function useSecondsLeft(expiry) {
  const [now, setNow] = useState(Date.now())
  useEffect(() => {
    if (!expiry) return
    const timer = setInterval(() => setNow(Date.now()), 5000)
    return () => clearInterval(timer)
  }, [expiry])
  return typeof expiry === 'number' ? Math.floor(expiry - now / 1000) : null
}

function duration(seconds) {
  if (seconds < 60) return 'less than a minute'
  if (seconds < 7200) return `${Math.floor(seconds / 60)} min`
  return `${Math.floor(seconds / 3600)} h`
}

function TokenForm({ onDone }) {
  const [text, setText] = useState('')
  function submit(event) {
    event.preventDefault()
    signIn(text)
    onDone()
  }
  return (
    <form onSubmit={submit} data-testid="token-form">
      <label>
        {config.login ? 'Or paste a token' : 'Token'}
        <textarea name="token" rows="3" value={text} spellCheck="false" autoComplete="off" onChange={event => setText(event.target.value)} />
      </label>
      <button type="submit" className="graphiql-button" disabled={!text.trim()}>Use this token</button>
    </form>
  )
}
