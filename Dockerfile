# The silo, the benches and the command line in one image, for linux/amd64.
#   docker build -t dtrain:local .
#   docker build -t REGISTRY/dtrain:0.1.0-cuda --build-arg TORCH_BACKEND=cuda .
# Both bases are pinned by digest, so that an image is made of the same parts each time. docs/kubernetes.md says how to move to newer ones.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0.400-noble@sha256:e1ffd2a92ae84c1291bc1b6887501f8af98e6331e7af6d4c8d37168c5e87a64c
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0.11-noble@sha256:a4556ed033fa96f984bb7a8d348851cb2d36b1281dd2420070045f664fbb5f94

FROM ${SDK_IMAGE} AS build
# cpu or cuda. The CUDA packages hold the CUDA libraries; the machine brings the driver alone, so the base image is the same.
ARG TORCH_BACKEND=cpu
ENV DOTNET_CLI_TELEMETRY_OPTOUT=1 DOTNET_NOLOGO=1 NUGET_XMLDOC_MODE=skip
WORKDIR /src

# What names the packages comes first: a change of code alone downloads nothing again.
COPY global.json nuget.config Directory.Build.props Directory.Build.targets Directory.Packages.props ./
COPY src/Client/Client.csproj src/Client/
COPY src/Core/Core.csproj src/Core/
COPY src/Grains/Grains.csproj src/Grains/
COPY src/Silo/Silo.csproj src/Silo/
COPY src/Silo/Runtime.props src/Silo/
COPY src/Training/Training.csproj src/Training/
COPY bench/Distributed.Bench/Bench.csproj bench/Distributed.Bench/
RUN dotnet restore bench/Distributed.Bench -p:TorchBackend=$TORCH_BACKEND
RUN dotnet restore src/Client -p:TorchBackend=$TORCH_BACKEND

COPY .editorconfig BannedSymbols.txt ./
COPY bench/baselines bench/baselines
COPY bench/Distributed.Bench bench/Distributed.Bench
COPY protos protos
COPY src src
# The client finds the silo and the benches in the folder 'silo' next to it, and both find libtorch in the folder 'libtorch' next to them.
# Silos run for weeks: they compile what they run themselves, once, for their machine. The client starts sooner when it is compiled here.
RUN dotnet publish src/Silo -c Release --no-restore -p:CompileAhead=false -p:TorchBackend=$TORCH_BACKEND -p:PublishReadyToRun=false -o /out/silo
RUN dotnet publish bench/Distributed.Bench -c Release --no-restore -p:CompileAhead=false -p:TorchBackend=$TORCH_BACKEND -p:PublishReadyToRun=false -o /out/silo
RUN dotnet publish src/Client -c Release --no-restore -p:CompileAhead=false -p:TorchBackend=$TORCH_BACKEND -o /out
# Packages come with whatever rights their author had; another user than root runs this.
RUN chmod -R u=rwX,go=rX /out

FROM ${RUNTIME_IMAGE}
ARG VERSION=0.1.0
ARG REVISION=unknown
LABEL org.opencontainers.image.title="dtrain" \
      org.opencontainers.image.description="A silo of the data-parallel trainer dtrain, its benches and its command line" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
COPY --from=build /out /opt/dtrain
# Nothing in the image is written to: jobs and data are mounted, temporary files and a home for any user are in /tmp.
ENV PATH="/opt/dtrain:${PATH}" HOME=/tmp DOTNET_EnableDiagnostics=0 DOTNET_gcServer=0 MALLOC_ARENA_MAX=1
# A number, so that Kubernetes can tell that it is not root.
USER 10001:10001
# The native libraries are loaded and tested here, on this base and as this user, rather than at the first start.
ARG TORCH_BACKEND=cpu
RUN if [ "$TORCH_BACKEND" = cpu ]; then /opt/dtrain/silo/dtrain-silo doctor; fi
EXPOSE 8443 11111 11112
ENTRYPOINT ["/opt/dtrain/silo/dtrain-silo", "serve"]
