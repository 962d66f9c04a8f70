import { render } from "preact";
import { App } from "./app.js";
import "./style.css";

render(<App />, document.getElementById("app")!);

if (import.meta.env.MODE === "production" && "serviceWorker" in navigator && isSecureContext)
  navigator.serviceWorker.register("./offline.js").catch(() => undefined);
