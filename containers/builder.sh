# Sourced: chooses the Docker client to build with, as $docker.
# BuildKit where a client brings it: newer ones in a plugin, those before 23 built in. The legacy builder works too.
choose_builder() {
    local client
    docker=docker
    for client in $(type -aP docker); do
        if "$client" buildx version >/dev/null 2>&1 ||
            [ "$("$client" version --format '{{.Client.Version}}' | cut -d. -f1)" -lt 23 ]; then
            docker="$client"
            export DOCKER_BUILDKIT=1
            return
        fi
    done
    export DOCKER_BUILDKIT=0
}

choose_builder
