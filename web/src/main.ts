import "./styles/base.css";

import { mount } from "svelte";

import App from "./App.svelte";
import { createPlayer } from "./core";

const target = document.getElementById("app");
if (!target) throw new Error("the page has no #app");
mount(App, { target, props: { player: createPlayer() } });
