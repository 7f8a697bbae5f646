// Brings GOV.UK Frontend's components to life (menu, error summary, exit this page, password field).
import { initAll } from "./vendor/govuk.js";

initAll();
