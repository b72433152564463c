"use strict";

// The code may come behind the # of the link, which no server and no log ever sees. It leaves the history as well.
const field = document.getElementById("code");
if (field && location.hash.length > 1) {
  field.value = location.hash.slice(1);
  history.replaceState(null, "", location.pathname);
}

// A second tap would throw away the answer to the first one, and with it the only sight of the password.
const form = document.querySelector("form");
if (form) {
  const button = form.querySelector("button");
  const label = button.textContent;
  let sent = false;
  form.addEventListener("submit", (event) => {
    if (sent) event.preventDefault();
    sent = true;
    button.textContent = "Making your account …";
  });
  addEventListener("pageshow", () => {
    sent = false;
    button.textContent = label;
  });
}
