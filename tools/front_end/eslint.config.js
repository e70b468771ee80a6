import js from "@eslint/js";
import globals from "globals";

export default [
	js.configs.recommended,
	{
		languageOptions: { ecmaVersion: 2022, sourceType: "module", globals: globals.browser },
		rules: { "no-var": "error", "prefer-const": ["error", { destructuring: "all" }], eqeqeq: ["error", "smart"], "no-shadow": "off", "no-unused-vars": ["error", { varsIgnorePattern: "^_" }] },
	},
];
