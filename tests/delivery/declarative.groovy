// Runs the Jenkinsfile with stand-ins for what a declarative pipeline may have, as https://www.jenkins.io/doc/book/pipeline/syntax
// and the pages of its steps say and as far as ours needs it, and prints its stages as JSON. It refuses any other section, step
// and parameter.
import groovy.json.JsonOutput

/** What may stand between the braces of a section: calls, and what each does with its arguments. `=` may set variables. */
class Section {
    String title
    Map<String, Closure> may
    Map<String, Object> variables
    Set<String> had = []

    def methodMissing(String call, arguments) {
        if (!may[call]) throw new IllegalArgumentException("${title} has no ${call}")
        had << call
        may[call].call(*arguments)
    }

    def propertyMissing(String variable) {
        if (!variables.containsKey(variable)) throw new IllegalArgumentException("${title} knows no ${variable}")
        variables[variable]
    }

    def propertyMissing(String variable, value) {
        if (!may['=']) throw new IllegalArgumentException("${title} sets no ${variable}")
        variables[variable] = value
    }
}

def section(String title, Map<String, Closure> may, Map variables, List<String> wanted, Closure body) {
    def delegate = new Section(title: title, may: may, variables: variables)
    body.delegate = delegate
    body.resolveStrategy = Closure.DELEGATE_ONLY
    body()
    def missing = wanted - delegate.had
    if (missing) throw new IllegalArgumentException("${title} has to have ${missing.first()}")
}

/** A call with named parameters, which has these and no others. */
def named(String call, String... parameters) {
    return { Map given ->
        def unknown = given.keySet() - parameters.toList()
        if (unknown) throw new IllegalArgumentException("${call} has no ${unknown.first()}")
        given
    }
}

def kept = ['=': {}, credentials: { String id -> [credentials: id] }]
def conditions
conditions = [
    branch: { String name -> },
    changelog: { String pattern -> java.util.regex.Pattern.compile(pattern) },
    beforeInput: { boolean first -> },
    not: { Closure body -> section('not', conditions, [:], [], body) },
]

def stages = []
def stage = { Map environment, String name, Closure body ->
    def told = [name: name, sh: [], when: false, input: false]
    def steps
    steps = [
        sh: { String command -> told.sh << command },
        gitUsernamePassword: named('gitUsernamePassword', 'credentialsId', 'gitToolName'),
        withCredentials: { List credentials, Closure inner -> section('withCredentials', steps, [:], [], inner) },
    ]
    section("stage ${name}", [
        when: { Closure inner -> told.when = true; section('when', conditions, [:], [], inner) },
        input: { Closure inner -> told.input = true; section('input', [message: { String text -> }], [:], ['message'], inner) },
        environment: { Closure inner -> section('environment', kept, environment, [], inner) },
        steps: { Closure inner -> section('steps', steps, [:], [], inner) },
    ], [:], ['steps'], body)
    stages << told
}

binding.setVariable('pipeline') { Closure body ->
    def environment = [env: [BUILD_NUMBER: '7']]
    section('pipeline', [
        agent: { Closure inner -> section('agent', [label: { String name -> }], [:], ['label'], inner) },
        options: { Closure inner -> section('options', [
            timeout: named('timeout', 'time', 'unit', 'activity'),
            disableConcurrentBuilds: { -> },
            buildDiscarder: { Map rotator -> },
            logRotator: named('logRotator', 'numToKeepStr', 'daysToKeepStr', 'artifactNumToKeepStr', 'artifactDaysToKeepStr'),
        ], [:], [], inner) },
        environment: { Closure inner -> section('environment', kept, environment, [], inner) },
        stages: { Closure inner -> section('stages', [stage: stage.curry(environment)], [:], ['stage'], inner) },
    ], [:], ['agent', 'stages'], body)
}

new GroovyShell(binding).evaluate(System.in.newReader(), 'Jenkinsfile')
println JsonOutput.toJson(stages)
