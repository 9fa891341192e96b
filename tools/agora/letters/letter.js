// The pages that links in mail lead to. The token is behind the #, which no server ever sees; it is used by a click,
// since programs that look into mail open links too.
const pages = {
  "/account/verify": {
    button: "Confirm my e-mail address",
    query: "mutation ($token: String!) { done: emailVerify(input: { token: $token }) { userErrors { message } } }",
    done: "Thank you: your e-mail address is confirmed.",
  },
  "/account/reset": {
    button: "Set the new password",
    query: "mutation ($token: String!, $password: String!) { done: passwordReset(input: { token: $token, newPassword: $password }) { userErrors { message } } }",
    done: "Your password is changed: sign in with it.",
    password: true,
  },
};
const page = pages[location.pathname];
const form = document.querySelector("form");
const status = document.querySelector("[role=status]");
document.querySelector("button").textContent = page.button;
document.querySelector("#password").hidden = !page.password;
form.addEventListener("submit", async (event) => {
  event.preventDefault();
  const variables = { token: location.hash.slice(1) };
  if (page.password) variables.password = form.password.value;
  try {
    const response = await fetch("/graphql", {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify({ query: page.query, variables }),
    });
    const { data, errors } = await response.json();
    const wrong = errors?.[0] ?? data.done.userErrors[0];
    status.textContent = wrong ? wrong.message : page.done;
    form.hidden = !wrong;
  } catch {
    status.textContent = "The shop can't be reached: try again.";
  }
});
