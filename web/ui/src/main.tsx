import { render } from "preact";
import { App } from "./app";
import "uplot/dist/uPlot.min.css";
import "./styles/tokens.css";
import "./styles/base.css";
import "./styles/services.css";
import "./styles/shell.css";
import "./styles/parts.css";
import "./styles/objectives.css";
import "./styles/charts.css";
import "./styles/traces.css";
import "./styles/trace.css";
import "./styles/sampling.css";

render(<App />, document.getElementById("app") as HTMLElement);
