// npm run build: installs and compiles, each only if something changed.
import { bootstrap } from "./bootstrap.mjs";

bootstrap();
