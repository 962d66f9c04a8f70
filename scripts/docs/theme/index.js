// The default theme with the system's fonts: nothing is fetched from elsewhere.
import theme from "vitepress/theme-without-fonts";
import "./site.css";

export default theme;
