//! The faults that are injected into the small document, as data.
//! Each says what it replaces and which pointer, line and words must come of it.

use crate::document::problem::Problem;

/// A fault: what is put in place of what, and what must be said of it.
pub(super) struct Fault {
    pub(super) name: &'static str,
    /// This text, which the document has once, becomes the other.
    pub(super) edit: (&'static str, &'static str),
    pub(super) pointer: &'static str,
    /// The first text of the line that the problem must name.
    line: &'static str,
    pub(super) message: &'static str,
}

/// Faults that leave the text readable, so that any number of them can be found at once.
pub(super) const FAULTS: &[Fault] = &[
    Fault {
        name: "a reference that leads nowhere",
        edit: ("'#/components/schemas/DogList'\n", "'#/components/schemas/Cats'\n"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get/responses/200/content/application~1json/schema/$ref",
        line: "schemas/Cats",
        message: "leads nowhere",
    },
    Fault {
        name: "a reference to another kind of object",
        edit: ("'#/components/parameters/PageSize'", "'#/components/schemas/Mood' # size"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/0/$ref",
        line: "# size",
        message: "does not lead to a Parameter",
    },
    Fault {
        name: "a parameter that is required beside its reference",
        edit: (
            "- $ref: '#/components/parameters/PageSize'\n",
            "- $ref: '#/components/parameters/PageSize'\n          required: true\n",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/0",
        line: "'#/components/parameters/PageSize'",
        message: "says `required` beside a reference",
    },
    Fault {
        name: "a reference out of the document",
        edit: ("            - $ref: '#/components/schemas/Wet'", "            - $ref: 'food.yaml#/Wet'"),
        pointer: "/components/schemas/Dog/properties/food/oneOf/1/$ref",
        line: "food.yaml",
        message: "leaves the document",
    },
    Fault {
        name: "references in a circle",
        edit: (
            "    Failure:\n      type: object\n      properties:\n        detail:\n          type: string\n",
            "    Failure:\n      $ref: '#/components/schemas/Fault'\n    Fault:\n      $ref: '#/components/schemas/Failure' # back\n",
        ),
        pointer: "/components/schemas/Fault/$ref",
        line: "# back",
        message: "leads back to itself",
    },
    Fault {
        name: "a keyword of a later OpenAPI",
        edit: ("        tins:\n          type: integer", "        tins:\n          const: 4\n          type: integer"),
        pointer: "/components/schemas/Wet/properties/tins/const",
        line: "const: 4",
        message: "\"const\" is not one that OpenAPI 3.0 has",
    },
    Fault {
        name: "a misspelt method",
        edit: ("    delete:\n", "    remove:\n"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs~1{dog_id}/remove",
        line: "    remove:",
        message: "\"remove\" is not one that OpenAPI 3.0 has in a PathItem",
    },
    Fault {
        name: "a type that does not exist",
        edit: ("        grams:\n          type: integer", "        grams:\n          type: weight"),
        pointer: "/components/schemas/Dry/properties/grams/type",
        line: "type: weight",
        message: "is \"weight\", expected one of string",
    },
    Fault {
        name: "a list of types",
        edit: ("        age:\n          type: integer", "        age:\n          type: [integer, 'null']"),
        pointer: "/components/schemas/Dog/properties/age/type",
        line: "type: [integer",
        message: "expected one of string",
    },
    Fault {
        name: "an enum without values",
        edit: ("enum: [dry]", "enum: [] # dry"),
        pointer: "/components/schemas/Dry/properties/kind/enum",
        line: "# dry",
        message: "has no values",
    },
    Fault {
        name: "an enum with a value twice",
        edit: ("enum: [calm, playful]", "enum: [calm, playful, calm]"),
        pointer: "/components/schemas/Mood/enum",
        line: "enum: [calm",
        message: "lists a value twice",
    },
    Fault {
        name: "an array of nothing",
        edit: (
            "          type: array\n          items:\n            $ref: '#/components/schemas/Dog'",
            "          type: array",
        ),
        pointer: "/components/schemas/DogList/properties/dogs/items",
        line: "        dogs:\n          type: array",
        message: "must say what its items are",
    },
    Fault {
        name: "a union of nothing",
        edit: ("          allOf:\n            - $ref: '#/components/schemas/Mood'", "          anyOf: []"),
        pointer: "/components/schemas/Dog/properties/mood/anyOf",
        line: "anyOf: []",
        message: "must have at least one member",
    },
    Fault {
        name: "a negated schema",
        edit: ("    Name:\n      type: string", "    Name:\n      not: {enum: [Fluffy]}\n      type: string"),
        pointer: "/components/schemas/Name/not",
        line: "not: {enum",
        message: "negated schemas",
    },
    Fault {
        name: "a minimum above the maximum",
        edit: ("          minimum: 1\n", "          minimum: 9001\n"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/parameters/0/schema/minimum",
        line: "minimum: 9001",
        message: "9001 is above maximum 9000",
    },
    Fault {
        name: "a length that cannot be",
        edit: ("      minLength: 1\n", "      minLength: 41\n"),
        pointer: "/components/schemas/Name/minLength",
        line: "minLength: 41",
        message: "41 is above maxLength 40",
    },
    Fault {
        name: "a parameter with content",
        edit: (
            "          in: query\n          schema:\n            type: array\n            items:\n              $ref: '#/components/schemas/Mood'",
            "          in: query\n          content: {application/json: {schema: {type: string}}}",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get/parameters/1/content",
        line: "content: {application/json",
        message: "parameters with content",
    },
    Fault {
        name: "a parameter in a cookie",
        edit: ("      name: page_size\n      in: query", "      name: page_size\n      in: cookie"),
        pointer: "/components/parameters/PageSize/in",
        line: "in: cookie",
        message: "cookie parameters",
    },
    Fault {
        name: "a parameter that is nowhere",
        edit: (
            "        - name: idempotency-key\n          in: header\n",
            "        - name: idempotency-key\n          in: body\n",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/post/parameters/0/in",
        line: "in: body",
        message: "expected path, query or header",
    },
    Fault {
        name: "a path parameter that may be absent",
        edit: (
            "        - name: dog_id\n          in: path\n          required: true\n",
            "        - name: dog_id\n          in: path\n          required: false\n",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs~1{dog_id}/delete/parameters/1/required",
        line: "required: false",
        message: "must be required",
    },
    Fault {
        name: "a path parameter that nothing declares",
        edit: (
            "/kennels/{kennel_id}/dogs/{dog_id}:\n    delete:",
            "/kennels/{kennel_id}/dogs/{dog_id}/{tag}:\n    delete:",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs~1{dog_id}~1{tag}/delete",
        line: "    delete:",
        message: "{tag}, which no parameter declares",
    },
    Fault {
        name: "a declared path parameter that the path lacks",
        edit: (
            "        - name: mood\n          in: query\n",
            "        - name: mood\n          required: true\n          in: path\n",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get",
        line: "    get:",
        message: "\"mood\", which the path lacks",
    },
    Fault {
        name: "an operation without an id",
        edit: ("      operationId: release-dog\n", ""),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs~1{dog_id}/delete/operationId",
        line: "    delete:",
        message: "is missing",
    },
    Fault {
        name: "an id given twice",
        edit: ("operationId: addDog", "operationId: list_dogs # again"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/post/operationId",
        line: "# again",
        message: "\"list_dogs\" is also at /paths/~1kennels~1{kennel_id}~1dogs/get",
    },
    Fault {
        name: "an operation that answers nothing",
        edit: (
            "      responses:\n        '204':\n          description: It runs.\n          content:\n            application/json:\n              schema:\n                type: object\n",
            "      responses: {}\n",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs~1{dog_id}/delete/responses",
        line: "responses: {}",
        message: "must list at least one answer",
    },
    Fault {
        name: "a status that does not exist",
        edit: ("        '201':", "        '199':\n          description: Nearly.\n        '2o1':"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/post/responses",
        line: "      responses:\n        '199'",
        message: "\"2o1\" is not a status",
    },
    Fault {
        name: "two successes",
        edit: ("        200:\n", "        202:\n          description: Later.\n        200:\n"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get/responses",
        line: "      responses:\n        202",
        message: "has 2 success answers",
    },
    Fault {
        name: "no success",
        edit: ("        '204':\n", "        default:\n"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs~1{dog_id}/delete/responses",
        line: "      responses:\n        default",
        message: "has 0 success answers",
    },
    Fault {
        name: "a list where an object must be",
        edit: (
            "components:\n  securitySchemes:\n    Bearer:\n      type: http\n      scheme: bearer\n",
            "components:\n  securitySchemes: [bearer]\n",
        ),
        pointer: "/components/securitySchemes",
        line: "securitySchemes: [",
        message: "is a list, expected an object of objects",
    },
    Fault {
        name: "no date",
        edit: ("version: \"2031-05-06T00:00:00Z\"", "version: 1.0.0"),
        pointer: "/info/version",
        line: "version: 1.0.0",
        message: "does not start with a date",
    },
];

/// Faults that stop the reader: nothing else can be said of such a text.
pub(super) const UNREADABLE: &[Fault] = &[
    Fault {
        name: "not YAML",
        edit: ("      operationId: list_dogs\n", "      operationId: [list_dogs\n"),
        pointer: "",
        line: "summary: Lists dogs",
        message: "not YAML",
    },
    Fault {
        name: "two YAML documents",
        edit: ("components:\n", "---\ncomponents:\n"),
        pointer: "",
        line: "",
        message: "holds 2 YAML documents",
    },
    Fault {
        name: "a key given twice",
        edit: ("  title: Kennels\n", "  title: Kennels\n  title: Catteries\n"),
        pointer: "",
        line: "title: Catteries",
        message: "uplicate",
    },
    Fault {
        name: "a key given twice in two spellings",
        edit: (
            "        '404':\n          $ref: '#/components/responses/Missing'\n    post:",
            "        '200':\n          description: Again.\n    post:",
        ),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/get/responses/200",
        line: "        '200':",
        message: "\"200\" stands twice",
    },
    Fault {
        name: "a number that JSON does not have",
        edit: ("maximum: 9000", "maximum: .inf"),
        pointer: "/paths/~1kennels~1{kennel_id}~1dogs/parameters/0/schema/maximum",
        line: "maximum: .inf",
        message: "has no JSON form",
    },
    Fault {
        name: "Swagger 2",
        edit: ("openapi: 3.0.3", "swagger: '2.0'"),
        pointer: "/swagger",
        line: "swagger:",
        message: "expected OpenAPI 3.0.x",
    },
    Fault {
        name: "OpenAPI 3.1",
        edit: ("openapi: 3.0.3", "openapi: 3.1.0"),
        pointer: "/openapi",
        line: "openapi:",
        message: "is \"3.1.0\", expected \"3.0.x\"",
    },
    Fault {
        name: "a version that is a number",
        edit: ("openapi: 3.0.3", "openapi: 3.0"),
        pointer: "/openapi",
        line: "openapi:",
        message: "expected \"3.0.x\"",
    },
    Fault {
        name: "not OpenAPI at all",
        edit: ("openapi: 3.0.3\n", ""),
        pointer: "",
        line: "",
        message: "has no `openapi` key",
    },
];

/// Whole texts that cannot be read, with the line and what is said.
pub(super) const TEXTS: &[(&str, &[u8], Option<usize>, &str)] = &[
    ("not JSON", b"{\n  \"openapi\": \"3.0.3\",\n  \"paths\":\n}\n", Some(4), "not JSON"),
    ("cut off", b"{\"openapi\": \"3.0.3\", \"paths\": {", Some(1), "not JSON"),
    ("not UTF-8", b"openapi: 3.0.3\ninfo:\n  title: caf\xe9\n", Some(3), "not UTF-8"),
    ("nothing", b"", None, "holds 0 YAML documents"),
    ("a list", b"- openapi\n", Some(1), "expected an OpenAPI object"),
    ("a word", b"openapi", Some(1), "expected an OpenAPI object"),
];

impl Fault {
    pub(super) fn inject(&self, text: &str) -> String {
        assert_eq!(text.matches(self.edit.0).count(), 1, "{}: {:?} stands once", self.name, self.edit.0);
        text.replace(self.edit.0, self.edit.1)
    }

    /// The line of the marker in a text; `None` where the whole document is meant.
    pub(super) fn line_in(&self, text: &str) -> Option<usize> {
        (!self.line.is_empty()).then(|| {
            let at = text.find(self.line).unwrap_or_else(|| panic!("{}: no {:?}", self.name, self.line));
            1 + text[..at].matches('\n').count()
        })
    }

    pub(super) fn is(&self, problem: &Problem, text: &str) -> bool {
        problem.pointer == self.pointer
            && problem.message.contains(self.message)
            && (self.line.is_empty() || problem.line == self.line_in(text))
    }
}
