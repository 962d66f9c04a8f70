// npm run build: installs and compiles where something changed.
import { bootstrap } from "./bootstrap.mjs";

bootstrap();
