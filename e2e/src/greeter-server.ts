import { Server, ServerCredentials, type ServerUnaryCall, type sendUnaryData } from '@grpc/grpc-js';

interface Hello {
  readonly name: string;
}

interface Greeting {
  readonly message: string;
  readonly server: string;
}

/** helloworld.Greeter with one unary method, its messages as JSON: an ordinary gRPC server that knows of no mesh. */
const service = {
  sayHello: {
    path: '/helloworld.Greeter/SayHello',
    requestStream: false,
    responseStream: false,
    requestSerialize: (hello: Hello) => Buffer.from(JSON.stringify(hello)),
    requestDeserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) as Hello,
    responseSerialize: (greeting: Greeting) => Buffer.from(JSON.stringify(greeting)),
    responseDeserialize: (bytes: Buffer) => JSON.parse(bytes.toString()) as Greeting,
  },
} as const;

export class GreeterServer {
  readonly #server = new Server();

  private constructor(name: string) {
    this.#server.addService(service, {
      sayHello: ({ request }: ServerUnaryCall<Hello, Greeting>, reply: sendUnaryData<Greeting>) =>
        reply(null, { message: `Hello ${request.name}`, server: name }),
    });
  }

  static async listen(name: string, host: string, port: number): Promise<GreeterServer> {
    const greeter = new GreeterServer(name);
    await new Promise<void>((resolve, reject) => {
      greeter.#server.bindAsync(`${host}:${port}`, ServerCredentials.createInsecure(), (error) => {
        if (error) reject(error);
        else resolve();
      });
    });
    return greeter;
  }

  close(): void {
    this.#server.forceShutdown();
  }
}
