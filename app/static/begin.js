// First thing in the body: says that scripts run, so that what needs them may show. A file, since nothing is inline.
document.body.classList.add("js-enabled");
if ("noModule" in HTMLScriptElement.prototype) document.body.classList.add("govuk-frontend-supported");
