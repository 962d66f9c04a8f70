// The default theme with the system's fonts, so that nothing is fetched from elsewhere.
import theme from "vitepress/theme-without-fonts";
import "./site.css";

export default theme;
